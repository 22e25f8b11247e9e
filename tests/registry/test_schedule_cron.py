"""Cron expressions: what they say, and what is said of those that are none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry import cron
from registry.cron import CronError
from tests.registry.crons import crons, fields

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@yearly", "0 0 1 jan *"),
        ("  0   3 *  * 1-5 ", "0 3 * * MON-FRI"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sat-sun", "0 0 * * 6,0"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("10-30/10,59 * * * *", "10,20,30,59 * * * *"),
        ("0 0 1 jan-mar/2 *", "0 0 1 1,3 *"),
        ("0 0 * * mon/2", "0 0 * * 1,3,5"),
    ],
)
def test_ways_to_say_the_same(text: str, same: str) -> None:
    one, other = cron.parse(text), cron.parse(same)
    names = ("minutes", "hours", "days", "months", "weekdays")
    assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
    after = datetime(2026, 2, 27, 11, 3)
    for _ in range(20):
        assert one.next_after(after) == other.next_after(after)
        after = one.next_after(after)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("0 0 * * * *", "6 fields"),
        ("60 * * * *", "minute: 60 is not in 0–59"),
        ("* 24 * * *", "hour: 24 is not in 0–23"),
        ("* * 0 * *", "day of month: 0 is not in 1–31"),
        ("* * * foo *", "month: 'foo' is not 1–12 or jan–dec"),
        ("* * * * 8", "day of week: 8 is not in 0–7"),
        ("*/0 * * * *", "minute: the step of '*/0'"),
        ("*/90 * * * *", "minute: the step of '*/90' leads out"),
        ("*/x * * * *", "minute: the step of '*/x'"),
        ("30-10 * * * *", "minute: '30-10' runs backwards"),
        ("1,,2 * * * *", "minute: ''"),
        ("*-5 * * * *", "minute: '*-5'"),
        ("1-2-3 * * * *", "minute: '1-2-3'"),
        ("-1 * * * *", "minute: '-1'"),
        ("٣ * * * *", "minute: '٣'"),
        ("0 0 30 feb *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("@reboot", "'@reboot' is unknown"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(CronError) as caught:
        cron.parse(text)
    assert said in str(caught.value)


@given(data=st.data())
def test_every_field_means_what_it_says(data: st.DataObject) -> None:
    for of in cron.FIELDS:
        text, values = data.draw(fields(of))
        assert cron.parse_field(text, of) == values


@given(text=st.text(max_size=40) | st.from_regex(r"([0-9a-z*/,@-]{0,6} ){0,6}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = cron.parse(text)
    except CronError:
        return  # any other error would be ours
    assert read.names(read.next_after(datetime(2026, 1, 1)))


@hypothesis_settings(max_examples=60)
@given(expression=crons(), start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 28)))
def test_the_next_time_is_the_first_minute_that_is_named(
    expression: cron.Cron, start: datetime
) -> None:
    found = expression.next_after(start)
    assert found > start
    assert expression.names(found)
    minute = start.replace(second=0, microsecond=0) + MINUTE
    while minute < min(found, start + timedelta(days=3)):
        assert not expression.names(minute)
        minute += MINUTE
