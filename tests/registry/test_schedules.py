"""When a plan is due, held against a count of every minute on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry import cron
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, Plan
from registry.models.base import utcnow
from registry.planfile import plan_ahead, read_plan, save_plan
from registry.planparts import PlanFile
from registry.schedule import (
    Schedule,
    ScheduleError,
    instant,
    parse_window,
    schedule_of,
    zone,
)
from tests.registry.crons import crons

MINUTE = timedelta(minutes=1)
PLAN = UUID("01980000-0000-7000-8000-000000000001")


@dataclass(frozen=True)
class Times:
    """What a plan says of its times."""

    schedule: Sequence[str] = ("0 * * * *",)
    time_zone: str = "UTC"
    jitter: int = 0
    opening_hours: Sequence[str] = field(default=())


def made(*schedule: str, at: str = "UTC", jitter: int = 0, hours: Sequence[str] = ()) -> Schedule:
    found = schedule_of(Times(schedule, at, jitter, hours))
    assert found is not None
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(schedule: Schedule, after: str, number: int) -> list[str]:
    return [f"{at:%m-%d %H:%M}" for at in islice(schedule.upcoming(utc(after)), number)]


def test_both_days_restricted_means_either() -> None:
    # crontab(5): restricted is what does not begin with a star.
    found = due(made("0 0 13 * fri"), "2026-03-01T00:00", 5)
    assert found == ["03-06 00:00", "03-13 00:00", "03-20 00:00", "03-27 00:00", "04-03 00:00"]
    assert due(made("0 0 13 4 fri"), "2026-04-01T00:00", 3) == [
        "04-03 00:00", "04-10 00:00", "04-13 00:00",
    ]  # fmt: skip
    assert due(made("0 0 */2 * fri"), "2026-03-01T00:00", 3) == [
        "03-13 00:00", "03-27 00:00", "04-03 00:00",
    ]  # fmt: skip


def test_a_leap_day_is_waited_for() -> None:
    assert made("0 12 29 2 *").next_after(utc("2096-03-01T00:00")) == utc("2104-02-29T12:00")


# Zones


def test_a_time_that_is_leapt_over_is_made_up_at_once_and_once() -> None:
    berlin = made("0,30 2 * * *", "0 3 * * *", at="Europe/Berlin")
    assert due(berlin, "2026-03-28T00:00", 5) == [
        "03-28 01:00", "03-28 01:30", "03-28 02:00", "03-29 01:00", "03-30 00:00",
    ]  # fmt: skip


def test_a_time_that_comes_twice_is_the_first() -> None:
    berlin = made("30 2 * * *", at="Europe/Berlin")
    assert due(berlin, "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"]
    # Asked between the two, it is over.
    assert due(berlin, "2026-10-25T01:00", 1) == ["10-26 01:30"]


def test_a_day_that_is_leapt_over() -> None:
    # Samoa went from 29 to 31 December 2011.
    assert due(made("0 12 * * *", at="Pacific/Apia"), "2011-12-29T00:00", 3) == [
        "12-29 22:00", "12-30 10:00", "12-30 22:00",
    ]  # fmt: skip


#: Zones and the days of 2026 about which their clocks change, or do not.
CHANGES = (
    ("UTC", "2026-06-01"),
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2026-10-24"),
    ("America/New_York", "2026-03-07"),
    ("America/New_York", "2026-10-31"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("America/St_Johns", "2026-10-31"),
    ("Asia/Kathmandu", "2026-05-05"),
    ("Africa/Casablanca", "2026-02-14"),
    ("Africa/Casablanca", "2026-03-21"),
    ("Pacific/Apia", "2011-12-29"),
)


@hypothesis_settings(max_examples=60)
@given(expression=crons(), change=st.sampled_from(CHANGES), offset=st.integers(0, 1440))
def test_each_wall_time_is_due_once_whatever_the_clock_does(
    expression: cron.Cron, change: tuple[str, str], offset: int
) -> None:
    place, start = ZoneInfo(change[0]), utc(change[1]) + offset * MINUTE
    end = start + timedelta(days=2)
    schedule = made(expression.text, at=change[0])
    # Every minute of UTC, with what the clock on the wall shows then.
    first: dict[datetime, datetime] = {}
    order: list[tuple[datetime, datetime]] = []
    minute = start - timedelta(days=2)
    while minute < end + timedelta(days=2):
        wall = minute.astimezone(place).replace(tzinfo=None)
        first.setdefault(wall, minute)
        order.append((wall, minute))
        minute += MINUTE
    expected: set[datetime] = set()
    wall, last = order[0][0], order[-1][0]
    while wall < last:
        if expression.names(wall):
            at = first.get(wall) or next(minute for shown, minute in order if shown > wall)
            expected.add(at)
        wall += MINUTE
    found = set()
    for at in schedule.upcoming(start):
        if at > end:
            break
        found.add(at)
    assert found == {at for at in expected if start < at <= end}


@given(
    change=st.sampled_from(CHANGES),
    minutes=st.lists(st.integers(0, 4 * 1440), min_size=2, max_size=2),
)
def test_later_on_the_wall_is_never_earlier_in_time(
    change: tuple[str, str], minutes: list[int]
) -> None:
    place, start = ZoneInfo(change[0]), datetime.fromisoformat(change[1])
    one, other = (start + minute * MINUTE for minute in sorted(minutes))
    assert instant(one, place) <= instant(other, place)


# Opening hours


def test_outside_the_hours_a_run_waits_for_them_and_so_do_others() -> None:
    hourly = made("0 * * * *", hours=["mon-fri 08:00-10:30"])
    # A Friday.
    assert due(hourly, "2026-11-27T07:30", 6) == [
        "11-27 08:00", "11-27 09:00", "11-27 10:00", "11-30 08:00", "11-30 09:00", "11-30 10:00",
    ]  # fmt: skip
    nightly = made("0 3 * * *", hours=["08:15-09:00"])
    for asked in ("2026-11-27T02:00", "2026-11-27T03:00", "2026-11-27T08:14"):
        assert due(nightly, asked, 1) == ["11-27 08:15"]
    assert due(nightly, "2026-11-27T08:15", 1) == ["11-28 08:15"]


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    hours = made("0 * * * *", hours=["fri 22:00-02:00"]).hours
    assert hours.open_from(utc("2026-11-28T01:59")) == utc("2026-11-28T01:59")
    assert hours.open_from(utc("2026-11-28T02:00")) == utc("2026-12-04T22:00")
    assert hours.closes_after(utc("2026-11-27T23:00")) == utc("2026-11-28T02:00")
    assert hours.closes_after(utc("2026-11-27T12:00")) is None


def test_hours_that_the_clock_leaps_over_do_not_open() -> None:
    hours = made("0 * * * *", at="Europe/Berlin", hours=["sun 02:10-02:50"]).hours
    assert hours.open_from(utc("2026-03-28T12:00")) == utc("2026-04-05T00:10")


def test_hours_without_a_gap_never_close() -> None:
    hours = made("0 * * * *", hours=["00:00-12:00", "12:00-24:00"]).hours
    assert hours.closes_after(utc("2026-11-27T23:00")) is None
    assert hours.open_from(utc("2026-11-27T23:59")) == utc("2026-11-27T23:59")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8-18", "are no opening hours"),
        ("mon 08:00", "are no opening hours"),
        ("xyz 08:00-09:00", "day of week: 'xyz'"),
        ("08:00-08:00", "opens and closes at once"),
        ("24:00-08:00", "opens at 24:00"),
        ("08:60-09:00", "'08:60' is no time of the day"),
        ("08:00-25:00", "'25:00' is no time of the day"),
    ],
)
def test_hours_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_window(text)
    assert said in str(caught.value)


@hypothesis_settings(max_examples=60)
@given(
    expression=crons(),
    change=st.sampled_from(CHANGES),
    offset=st.integers(0, 1440),
    windows=st.lists(
        st.sampled_from(["mon-fri 08:00-18:00", "22:30-03:15", "sun 00:00-24:00", "02:00-02:30"]),
        min_size=1,
        max_size=2,
    ),
    jitter=st.sampled_from([0, 60, 7200]),
)
def test_no_run_begins_outside_the_hours(
    expression: cron.Cron,
    change: tuple[str, str],
    offset: int,
    windows: list[str],
    jitter: int,
) -> None:
    start = utc(change[1]) + offset * MINUTE
    bare = made(expression.text, at=change[0])
    kept = made(expression.text, at=change[0], hours=windows, jitter=jitter)
    times = list(islice(kept.upcoming(start), 5))
    assert times == sorted(set(times))
    for at in times:
        assert kept.hours.open_from(at) == at
        begins = kept.start_of(PLAN, at)
        assert at <= begins <= at + timedelta(seconds=jitter)
        assert kept.hours.open_from(begins) == begins
    # Nothing that is due while it is open is lost.
    due_open = [at for at in islice(bare.upcoming(start), 5) if kept.hours.open_from(at) == at]
    assert {at for at in due_open if at <= times[-1]} <= set(times)


# Jitter and what was missed


def test_jitter_is_the_same_for_all_and_spreads() -> None:
    one = made("@hourly", jitter=600)
    other = made("0 * * * *", jitter=600)
    at = utc("2026-11-25T12:00")
    plans = [UUID(int=number) for number in range(300)]
    begins = [one.start_of(plan, at) for plan in plans]
    assert begins == [other.start_of(plan, at) for plan in plans]
    seconds = [(begun - at).total_seconds() for begun in begins]
    assert min(seconds) >= 0
    assert max(seconds) <= 600
    assert len(set(seconds)) > 200
    assert 250 < sum(seconds) / len(seconds) < 350
    # And differs from one time to the next.
    assert len({one.start_of(PLAN, at + n * 60 * MINUTE).minute for n in range(50)}) > 5


@given(
    text=st.sampled_from(["* * * * *", "*/7 * * * *", "0 */5 * * *", "0 9 * * 1", "0 0 1 * *"]),
    minutes=st.integers(0, 60 * 24 * 40),
    limit=st.sampled_from([5, 1000]),
)
def test_what_was_missed_is_counted_and_its_last_found(text: str, minutes: int, limit: int) -> None:
    schedule = made(text)
    first = schedule.next_after(utc("2026-01-01T00:00"))
    now = first + minutes * MINUTE
    last, missed = schedule.missed(first, now, limit)
    assert last <= now < schedule.next_after(last)
    if missed < limit:
        assert last == next(islice(schedule.upcoming(first - MINUTE), missed, None))
    else:
        assert next(islice(schedule.upcoming(first - MINUTE), limit, None)) <= now


# The plan file


PLAN_FILE = {
    "name": "p",
    "brand": "velaro",
    "marketplace": {"name": "m", "kind": "bazaar", "url": "http://shop.example/"},
    "browse": ["/c/bags"],
}


def test_a_file_says_when(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        """
name: p
brand: velaro
marketplace: {name: m, kind: bazaar, url: "http://shop.example/"}
browse: [/c/bags]
schedule: ["0 6,18 * * mon-fri", "@weekly"]
time_zone: Asia/Shanghai
jitter: 900
opening_hours: 06:00-23:00
max_browser_minutes: 20
"""
    )
    plan = read_plan(path)
    assert plan.schedule == ["0 6,18 * * mon-fri", "@weekly"]
    assert plan.opening_hours == ["06:00-23:00"]
    assert plan.max_browser_minutes == 20
    schedule = schedule_of(plan)
    assert schedule is not None
    assert schedule.next_after(utc("2026-11-25T00:00")) == utc("2026-11-25T10:00")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schedule": "0 25 * * *"}, "schedule: hour: 25 is not in 0–23"),
        ({"schedule": ["@hourly"], "time_zone": "Mars/Olympus"}, "no IANA time zone"),
        ({"schedule": ["@hourly"], "time_zone": "../etc/passwd"}, "no IANA time zone"),
        ({"opening_hours": ["always"]}, "are no opening hours"),
        ({"jitter": 5}, "there is none"),
        ({"schedule": "@hourly", "jitter": -1}, "jitter"),
        ({"schedule": "@hourly", "jitter": 10**6}, "jitter"),
        ({"max_browser_minutes": 0}, "max_browser_minutes"),
        ({"schedule": 5}, "schedule"),
    ],
)
def test_a_file_that_is_wrong_says_where(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    import yaml

    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN_FILE, **changes}))
    with pytest.raises(TouchstoneError) as caught:
        read_plan(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_saving_a_plan_again_forgets_nothing_that_is_due(database: Database) -> None:
    def save(**changes: object) -> Plan:
        file = PlanFile.model_validate({**PLAN_FILE, **changes})
        with database.writing() as session:
            return save_plan(session, file, {"bazaar": ("pages",)})

    with database.writing() as session:
        session.add(Brand(slug="velaro", name="Velaro", owner="V"))
    assert save().next_due_at is None
    planned = save(schedule="@hourly")
    assert planned.next_due_at is not None
    assert timedelta(0) < planned.next_due_at - utcnow() <= timedelta(hours=1)
    overdue = utcnow() - timedelta(hours=3)
    with database.writing() as session:
        session.get_one(Plan, planned.id).next_due_at = overdue
    assert save(schedule="@hourly", threshold=0.7).next_due_at == overdue
    moved = save(schedule="@hourly", time_zone="Asia/Kathmandu").next_due_at
    assert moved is not None
    assert moved.minute == 15
    assert moved > utcnow()
    with database.writing() as session:
        plan = session.get_one(Plan, planned.id)
        plan.paused_at, plan.paused_by = utcnow(), "Ada"
        plan_ahead(plan, utcnow())
    assert save(schedule="@daily").next_due_at is None
    assert save().schedule == []


def test_zones_that_are_none() -> None:
    for name in ("", "Europe", "/etc/localtime", "Europe/Berlin\x00", "x" * 500):
        with pytest.raises(ScheduleError):
            zone(name)
