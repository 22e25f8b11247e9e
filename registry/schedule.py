"""When a plan is due: cron expressions in a zone, opening hours, jitter.

All of it is a function of what the plan says: two schedulers that never meet come to the same
times. The rules are in docs/scheduling.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from registry.cron import WEEKDAY, Cron, CronError, parse, parse_field

if TYPE_CHECKING:

    class Planned(Protocol):
        """What a plan says of its times: the row and the file have these alike."""

        @property
        def schedule(self) -> Sequence[str]: ...
        @property
        def time_zone(self) -> str: ...
        @property
        def jitter(self) -> int: ...
        @property
        def opening_hours(self) -> Sequence[str]: ...


DAY = timedelta(days=1)
#: How far the next opening is looked for: a week, and one more if the clock's change ate it.
OPENING_DAYS = 15


class ScheduleError(ValueError):
    """Something about a schedule that a person can mend."""


# Wall time and UTC


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises
    ------
    ScheduleError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(
            f"{name[:60]!r} is no IANA time zone, such as UTC or Europe/Berlin"
        ) from error


def instant(wall: datetime, place: ZoneInfo) -> datetime:
    """When a clock in a zone first shows a wall time, in UTC.

    A time that the clock shows twice is the first of the two. One that it leaps over is the
    first whole minute that it shows after the leap.
    """
    at = wall.replace(tzinfo=place).astimezone(UTC)
    if at.astimezone(place).replace(tzinfo=None) == wall:
        return at
    # In a gap: fold 0 gives a moment after the leap, fold 1 one before it (PEP 495).
    before = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    while at - before > timedelta(seconds=1):
        middle = before + (at - before) // 2
        if middle.astimezone(place).replace(tzinfo=None) >= wall:
            at = middle
        else:
            before = middle
    second = at.replace(microsecond=0)
    return second if second.second == 0 else second + timedelta(seconds=60 - second.second)


# Opening hours

_WINDOW = re.compile(
    r"(?:(?P<days>\S+) )?(?P<opens>\d{1,2}:\d\d)-(?P<closes>\d{1,2}:\d\d)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some weekdays; those that end no later than they begin end on the next day.

    Parameters
    ----------
    weekdays
        On which it opens; Sunday is 0.
    opens, closes
        Minutes since midnight, on the clock on the wall.
    """

    weekdays: frozenset[int]
    opens: int
    closes: int


@lru_cache(maxsize=1024)
def parse_window(text: str) -> Window:
    """Read `mon-fri 08:00-20:00`, or `22:00-06:00` for every day.

    Raises
    ------
    ScheduleError
        Saying what is wrong.
    """
    found = _WINDOW.fullmatch(" ".join(text.split()))
    if found is None:
        raise ScheduleError(
            f"{text[:60]!r} are no opening hours, such as 'mon-fri 08:00-20:00' or '22:00-06:00'"
        )
    try:
        weekdays = parse_field(found["days"] or "*", WEEKDAY)
    except CronError as error:
        raise ScheduleError(str(error)) from error
    opens, closes = (_minutes(found[name]) for name in ("opens", "closes"))
    if opens == 24 * 60:
        raise ScheduleError(f"{text!r}: opens at 24:00; write 00:00, of the next day")
    if opens == closes:
        raise ScheduleError(f"{text!r} opens and closes at once; all day is 00:00-24:00")
    return Window(weekdays, opens, closes if closes > opens else closes + 24 * 60)


def _minutes(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise ScheduleError(f"{text!r} is no time of the day")
    return hour * 60 + minute


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours in a zone. Without windows it is always open."""

    windows: tuple[Window, ...]
    place: ZoneInfo

    def around(self, at: datetime) -> Sequence[tuple[datetime, datetime]]:
        """The spans of time that are open about a moment: in order, apart, half open, UTC."""
        return _spans(self, at.astimezone(self.place).date())

    def open_from(self, at: datetime) -> datetime:
        """The moment itself if it is open then, else the next opening."""
        if not self.windows:
            return at
        return next(max(opens, at) for opens, closes in self.around(at) if at < closes)

    def closes_after(self, at: datetime) -> datetime | None:
        """When what is open at a moment closes; None if never, or if it is closed then.

        Hours that follow on each other for longer than anybody runs have no closing.
        """
        if not self.windows:
            return None
        for opens, closes in self.around(at):
            if opens <= at < closes:
                return closes if closes - at < OPENING_DAYS * DAY - 2 * DAY else None
        return None

    def closed_since(self, at: datetime) -> datetime | None:
        """When it last closed, if it is closed at a moment."""
        if not self.windows or self.open_from(at) == at:
            return None
        return max(closes for _, closes in self.around(at) if closes <= at)


@lru_cache(maxsize=4096)
def _spans(hours: Hours, today: date) -> tuple[tuple[datetime, datetime], ...]:
    spans: list[tuple[datetime, datetime]] = []
    for offset in range(-OPENING_DAYS, OPENING_DAYS + 1):
        midnight = datetime.combine(today + offset * DAY, time())
        weekday = (midnight.weekday() + 1) % 7
        for window in hours.windows:
            if weekday in window.weekdays:
                opens = instant(midnight + timedelta(minutes=window.opens), hours.place)
                closes = instant(midnight + timedelta(minutes=window.closes), hours.place)
                if opens < closes:  # else the clock leapt over it
                    spans.append((opens, closes))
    joined: list[tuple[datetime, datetime]] = []
    for opens, closes in sorted(spans):
        if joined and opens <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], closes)
        else:
            joined.append((opens, closes))
    return tuple(joined)


# Schedules


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a plan is due.

    Parameters
    ----------
    jitter
        Up to so many seconds later than it is due does a run begin.
    """

    crons: tuple[Cron, ...]
    place: ZoneInfo
    jitter: int
    hours: Hours

    def next_after(self, after: datetime) -> datetime:
        """The first time at which a run is due, later than a moment; UTC.

        What would fall outside the opening hours is due when they begin, and what falls on
        one moment is due once.
        """
        # From the closing on, everything waits for the same opening.
        closed = self.hours.closed_since(after)
        inclusive = after if closed is None else closed - timedelta(microseconds=1)
        wall = inclusive.astimezone(self.place).replace(tzinfo=None)
        return min(self._next_of(cron, wall, after) for cron in self.crons)

    def _next_of(self, cron: Cron, wall: datetime, after: datetime) -> datetime:
        while True:
            wall = cron.next_after(wall)
            due = self.hours.open_from(instant(wall, self.place))
            # Not so where the clock was put back, and shows what it has shown before.
            if due > after:
                return due

    def upcoming(self, after: datetime) -> Iterator[datetime]:
        """All that is due after a moment, without an end."""
        while True:
            after = self.next_after(after)
            yield after

    def missed(self, first: datetime, now: datetime, limit: int = 1000) -> tuple[datetime, int]:
        """The last time up to now, of those from `first` on, and how many came before it.

        Parameters
        ----------
        first
            A time that is due, and not later than now.
        limit
            No more are counted.
        """
        counted = list(islice(self._until(first, now), limit))
        if len(counted) < limit:
            return ([first, *counted])[-1], len(counted)
        last, span = counted[-1], timedelta(hours=1)
        while now - span > last:
            late = list(self._until(now - span, now))
            if late:
                return late[-1], limit
            span *= 8
        return [last, *self._until(last, now)][-1], limit

    def _until(self, after: datetime, now: datetime) -> Iterator[datetime]:
        for due in self.upcoming(after):
            if due > now:
                return
            yield due

    def start_of(self, plan_id: UUID, due: datetime) -> datetime:
        """When the run that is due at a moment begins: later by its jitter, whole seconds.

        The jitter comes from the SHA-256 of plan and moment, so that every scheduler finds
        the same. It never leads out of the opening hours.
        """
        limit = self.jitter
        closes = self.hours.closes_after(due)
        if closes is not None:
            limit = max(0, min(limit, int((closes - due).total_seconds()) - 1))
        said = f"{plan_id}\n{due.astimezone(UTC).isoformat()}".encode()
        chance = int.from_bytes(hashlib.sha256(said).digest()[:8], "big")
        return due + timedelta(seconds=chance * (limit + 1) >> 64)


def schedule_of(plan: Planned) -> Schedule | None:
    """The schedule of a plan, row or file; None if it runs only when somebody says so.

    Raises
    ------
    ScheduleError, CronError
        If something in it is wrong.
    """
    if not plan.schedule:
        return None
    place = zone(plan.time_zone)
    return Schedule(
        tuple(parse(text) for text in plan.schedule), place, plan.jitter, hours_of(plan)
    )


def hours_of(plan: Planned) -> Hours:
    """The opening hours of a plan, which hold for runs without a schedule too.

    Raises
    ------
    ScheduleError
        If something in them is wrong.
    """
    return Hours(tuple(parse_window(text) for text in plan.opening_hours), zone(plan.time_zone))
