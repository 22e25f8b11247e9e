"""Cron expressions of five fields: read with clear errors, and the wall times that they name.

Which times are meant is worked out by APScheduler's `CronTrigger`. It is given numbers only,
since its own words differ from cron's: Monday is its 0, it wants both day fields to fit where
cron is content with one, and it overlooks a step after a name.

Source: crontab(5) of Vixie cron.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from apscheduler.triggers.cron import CronTrigger

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class CronError(ValueError):
    """A text that is no cron expression, and why."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one of the five fields may hold."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
#: Sunday is 0 and 7.
WEEKDAY = Field("day of week", 0, 7, WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)

_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression.

    Parameters
    ----------
    text
        As it was written, with single spaces.
    weekdays
        Sunday is 0.
    either
        Whether both day fields are restricted: then a day that fits one of them will do.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    _triggers: tuple[CronTrigger, ...] = field(compare=False, repr=False)

    def next_after(self, wall: datetime) -> datetime:
        """The first time after this one, both wall times without a zone."""
        # A zone without changes of the clock: what these do is `registry.schedule`'s matter.
        start = wall.replace(tzinfo=UTC) + timedelta(microseconds=1)
        found = [trigger.get_next_fire_time(None, start) for trigger in self._triggers]
        first: datetime = min(at for at in found if at is not None)
        return first.replace(tzinfo=None)

    def names(self, wall: datetime) -> bool:
        """Whether the expression names a wall time, to the minute."""
        weekday = (wall.weekday() + 1) % 7 in self.weekdays
        day = wall.day in self.days
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.month in self.months
            and ((day or weekday) if self.either else (day and weekday))
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> Cron:
    """Read an expression.

    Parameters
    ----------
    text
        Five fields, each a list of values, names, ranges and steps; or one of `MACROS`.

    Raises
    ------
    CronError
        Saying which field is wrong and why, or that no day is ever named.
    """
    written = " ".join(text.split())
    macro = written.lower()
    if macro.startswith("@"):
        if macro not in MACROS:
            raise CronError(f"{written!r} is unknown; there are: {', '.join(sorted(MACROS))}")
        fields = MACROS[macro].split()
    else:
        fields = written.split()
    if len(fields) != len(FIELDS):
        raise CronError(
            f"{written!r} has {len(fields)} fields; cron has five: minute, hour, day of month, "
            "month, day of week"
        )
    minutes, hours, days, months, weekdays = (
        parse_field(part, of) for part, of in zip(fields, FIELDS, strict=True)
    )
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either and not any(day <= _longest(month) for day in days for month in months):
        raise CronError(f"{written!r} never comes: no such month has such a day")
    return Cron(
        written,
        minutes,
        hours,
        days,
        months,
        weekdays,
        either,
        _triggers(minutes, hours, days, months, weekdays, either),
    )


def parse_field(text: str, of: Field) -> frozenset[int]:
    """Read one field.

    Raises
    ------
    CronError
        Naming the field and what is wrong in it.
    """
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None or (found["first"] == "*" and found["last"]):
            raise CronError(f"{of.name}: {part!r} is not a value, a range or a step")
        low, high = _range(part, found, of)
        step = 1
        if found["step"] is not None:
            step = _step(part, found["step"], low, high, of)
        values.update(range(low, high + 1, step))
    return frozenset(value % 7 for value in values) if of is WEEKDAY else frozenset(values)


def _range(part: str, found: re.Match[str], of: Field) -> tuple[int, int]:
    # A week that is counted from 0 to 7 would have two Sundays.
    highest = 6 if of is WEEKDAY else of.highest
    if found["first"] == "*":
        return of.lowest, highest
    low = _value(found["first"], of)
    if found["last"] is None:
        # "5/15" is every fifteenth from 5 on.
        return low, (low if found["step"] is None else max(low, highest))
    high = _value(found["last"], of)
    if of is WEEKDAY and high == 0 and low > 0:
        high = 7  # "fri-sun" ends with the week
    if high < low:
        raise CronError(f"{of.name}: {part!r} runs backwards; write two ranges, with a comma")
    return low, high


def _value(text: str, of: Field) -> int:
    name = text.lower()
    if name in of.names:
        return of.names.index(name) + (1 if of is MONTH else 0)
    if not (text.isascii() and text.isdigit()):
        words = f" or {of.names[0]}–{of.names[-1]}" if of.names else ""
        raise CronError(f"{of.name}: {text!r} is not {of.lowest}–{of.highest}{words}")
    value = int(text)
    if not of.lowest <= value <= of.highest:
        raise CronError(f"{of.name}: {value} is not in {of.lowest}–{of.highest}")
    return value


def _step(part: str, text: str, low: int, high: int, of: Field) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise CronError(f"{of.name}: the step of {part!r} is not a number from 1 on")
    if int(text) > high - low:
        # "*/90" of the minutes is once an hour, and nobody who writes it means that.
        raise CronError(f"{of.name}: the step of {part!r} leads out of {low}–{high} at once")
    return int(text)


def _longest(month: int) -> int:
    return monthrange(2000, month)[1]


def _triggers(
    minutes: frozenset[int],
    hours: frozenset[int],
    days: frozenset[int],
    months: frozenset[int],
    weekdays: frozenset[int],
    either: bool,
) -> tuple[CronTrigger, ...]:
    monday_first = frozenset((day - 1) % 7 for day in weekdays)
    by_day = (_said(days, DAY), "*")
    by_weekday = ("*", "*" if len(monday_first) == 7 else _list(monday_first))
    both = (by_day[0], by_weekday[1])
    return tuple(
        CronTrigger(
            month=_said(months, MONTH),
            day=day,
            day_of_week=weekday,
            hour=_said(hours, HOUR),
            minute=_said(minutes, MINUTE),
            second=0,
            timezone=UTC,
        )
        for day, weekday in ((by_day, by_weekday) if either else (both,))
    )


def _said(values: frozenset[int], of: Field) -> str:
    return "*" if len(values) == of.highest - of.lowest + 1 else _list(values)


def _list(values: frozenset[int]) -> str:
    return ",".join(str(value) for value in sorted(values))
