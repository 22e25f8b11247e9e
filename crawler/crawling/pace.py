"""How fast a crawl is, and how long it may still take."""

from __future__ import annotations

from collections.abc import Sequence

MAX_POINTS = 60
#: Fewer pages than this say nothing of the time that is left.
LEAST_PAGES = 20

#: Seconds worked, pages until then, pages that waited then.
Point = tuple[float, int, int]


class Pace:
    """Points in a crawl, as many as a small picture shows: the older they are, the sparser.

    It goes on from `before`, what `to_json` gave, where a shard is taken up again.
    """

    def __init__(self, before: Sequence[Sequence[float]] | None = None) -> None:
        self._points = points(before)

    def note(self, seconds: float, pages: float, waiting: float) -> None:
        """Note how far it is; more often than once a second does no harm."""
        if self._points and seconds - self._points[-1][0] < 1.0:
            return
        self._points.append((round(seconds, 1), int(pages), int(waiting)))
        if len(self._points) > MAX_POINTS:
            # The first and the last stay.
            self._points[1:-20] = self._points[1:-20][1::2]

    def to_json(self) -> list[list[float]]:
        """The points, oldest first."""
        return [list(point) for point in self._points]


def points(said: Sequence[Sequence[float]] | None) -> list[Point]:
    """The points out of what `Pace.to_json` gave."""
    return [(float(at), int(pages), int(waiting)) for at, pages, waiting in said or ()]


def rate(course: Sequence[Point]) -> float | None:
    """Pages a second of late; None where too little is known."""
    recent = _recent(course)
    if len(recent) < 2 or recent[-1][0] <= recent[0][0]:
        return None
    return (recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0])


def seconds_left(course: Sequence[Point], waiting: int) -> float | None:
    """How long what waits may take; None where nobody can say.

    That is so at the beginning, while it stands still, and while more pages are found than are
    visited: then the end is not in sight.
    """
    if not waiting:
        return 0.0 if course and course[-1][1] else None
    speed = rate(course)
    recent = _recent(course)
    if not speed or recent[-1][1] < LEAST_PAGES or recent[-1][2] > recent[0][2] * 1.05:
        return None
    return waiting / speed


def _recent(course: Sequence[Point]) -> Sequence[Point]:
    """The last third of the way, of twenty points at most."""
    return course[-max(5, min(20, len(course) // 3)) :]
