"""What is wrong with a run, by its figures and those of healthy runs before it. Pure.

Shares are compared by the bound of Wilson's interval, so that a few pages prove nothing, and
with the median and spread of the runs before, so that what was always so is no symptom. The
thresholds are explained in docs/health.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from registry.shares import wilson

#: 99 per cent, one-sided on each end.
_Z = 2.576
#: Fewer pages than this are not judged by shares.
LEAST_PAGES = 5
#: So many of the pages of a kind may be unread where there is no history.
_PROMISED_UNREAD = 0.2
#: Fewer healthy runs before are no history: then the definition's promise counts.
LEAST_RUNS = 3
#: A list of results that led to so many listings before does not lead to none by chance.
LEAST_FOUND = 5
LEAST_NEW = 20
#: So many pages of results without one listing are odd even when a plan runs for the first time.
LEAST_LISTS = 3
#: The healthy runs that are looked back on.
LAST_RUNS = 10

_NAMES = {"list": "pages of results", "listing": "pages of listings", "seller": "pages of sellers"}

Kind = Literal["unread", "walls", "errors", "field", "empty", "found", "new"]
#: What concerns one plan's queries, and not the marketplace as a whole.
OF_A_PLAN: frozenset[Kind] = frozenset(("empty", "found", "new"))


@dataclass(frozen=True, slots=True)
class PageCounts:
    """Pages of one kind: how many were read, unread, walls; of each field (filled, of)."""

    read: int = 0
    unread: int = 0
    walls: int = 0
    fields: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Pages that came, whatever was in them."""
        return self.read + self.unread + self.walls

    @property
    def links(self) -> tuple[int, int]:
        """How many pages of results led to a listing, and of how many this is known."""
        return self.fields.get("links", (0, 0))


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of a plan on one marketplace came to.

    Parameters
    ----------
    kinds
        By kind of page: list, listing, seller.
    found
        Listings that the pages of results led to, known or not.
    errors
        Pages that could not be had at all.
    why
        The commonest reason of errors.
    asked
        Queries and paths that it began with.
    whole
        Whether it came to its end and was not cut short.
    revalidated
        Listings whose page was the one that had been read before.
    """

    kinds: Mapping[str, PageCounts]
    listings: int = 0
    new: int = 0
    errors: int = 0
    found: int | None = None
    whole: bool = True
    why: str = ""
    asked: int = 0
    revalidated: int = 0

    def of(self, kind: str) -> PageCounts:
        """The counts of a kind of page."""
        return self.kinds.get(kind, PageCounts())

    @property
    def answers(self) -> int:
        """Pages that came, whatever was in them."""
        return sum(counts.answers for counts in self.kinds.values())

    @property
    def walls(self) -> int:
        """Captchas, logins and blocks in the place of pages."""
        return sum(counts.walls for counts in self.kinds.values())

    @property
    def got(self) -> int:
        """Listings found."""
        return self.listings if self.found is None else self.found


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and whether it is as it should be.

    `few`: that it is well is said by so few pages that it is so for this plan only.
    """

    kind: Kind
    page: str
    field: str
    well: bool
    expected: str
    seen: str
    few: bool = False


def look(
    now: Figures, before: Sequence[Figures], same_plan: Sequence[Figures], promised: Sequence[str]
) -> list[Finding]:
    """Judge a run. What it had too few pages for is not among the findings.

    Parameters
    ----------
    before
        Earlier healthy runs on the same marketplace, by the same interface, of any plan.
    same_plan
        Those of them that were of this plan.
    promised
        Fields that a listing of this marketplace has, as its definition says.
    """
    findings = [*_pages(now, before), *_shares(now, before)]
    findings += _fields(now, before, promised)
    findings += [*_results(now, same_plan), *_found(now, same_plan), *_new(now, same_plan)]
    return findings


def _pages(now: Figures, before: Sequence[Figures]) -> Iterator[Finding]:
    """Of each kind of page, those in which nothing could be read."""
    for kind in _NAMES:
        counts = now.of(kind)
        if kind == "list" and counts.unread and _blind(now):
            # However few they are: a run that saw nothing says nothing of the shop.
            yield Finding(
                "unread",
                kind,
                "",
                False,
                "pages of results that can be read",
                f"none of {_so_many('list', counts.answers)} could be read",
            )
            continue
        blank = _none_read(kind, now, before) if 0 < counts.unread < LEAST_PAGES else 0
        if blank and _at_least(blank, blank) > _PROMISED_UNREAD:
            seen = f"none of {_so_many(kind, blank)} could be read"
            more = ", those of the runs just before counted in" if blank > counts.unread else ""
            expected = f"{_NAMES[kind]} that can be read"
            yield Finding("unread", kind, "", False, expected, seen + more)
            continue
        yield from _too_many(
            "unread",
            kind,
            (counts.unread, counts.answers),
            [(one.of(kind).unread, one.of(kind).answers) for one in before],
            promise=_PROMISED_UNREAD,
            slack=0.15,
            what=f"{_NAMES[kind]} in which nothing can be read",
            seen="nothing could be read in {}",
            blind=_blind(now),
        )


def _none_read(kind: str, now: Figures, before: Sequence[Figures]) -> int:
    """Pages of a kind, none of which could be read; 0 if one could.

    Those of the runs just before that could read none either are counted in: a plan that
    visits few pages at a time would never see a new layout otherwise.
    """
    blank = 0
    for one in (now, *reversed(before[-LAST_RUNS:])):
        counts = one.of(kind)
        if counts.read or counts.walls or (kind == "listing" and one.revalidated):
            break
        blank += counts.unread
    return blank


def _shares(now: Figures, before: Sequence[Figures]) -> Iterator[Finding]:
    """Walls and errors, of all pages."""
    if now.walls and _blind(now):
        seen = f"a wall in the place of {_so_many('', now.walls)}, and not one listing"
        yield Finding("walls", "", "", False, "pages of results", seen)
    else:
        yield from _too_many(
            "walls",
            "",
            (now.walls, now.answers),
            [(one.walls, one.answers) for one in before],
            promise=0.1,
            slack=0.1,
            what="captchas, logins and blocks in the place of pages",
            seen="a wall in the place of {}",
            blind=_blind(now),
        )
    if now.errors and not now.answers:
        # However few were asked for: a marketplace that is dead says nothing of its listings.
        seen = f"no page came: {_so_many('', now.errors)} could not be had"
        why = f", mostly: {now.why}" if now.why else ""
        yield Finding("errors", "", "", False, "pages that can be had", seen + why)
        return
    yield from _too_many(
        "errors",
        "",
        (now.errors, now.answers + now.errors),
        [(one.errors, one.answers + one.errors) for one in before],
        promise=0.3,
        slack=0.2,
        what="pages that could not be had",
        seen="{} could not be had",
        why=now.why,
        blind=_blind(now),
    )


def _too_many(
    symptom: Kind,
    page: str,
    share: tuple[int, int],
    before: Iterable[tuple[int, int]],
    *,
    promise: float,
    slack: float,
    what: str,
    seen: str,
    why: str = "",
    blind: bool = False,
) -> Iterator[Finding]:
    """A share that should be small: beyond `promise`, or beyond what was usual by `slack`."""
    bad, of = share
    if of < LEAST_PAGES:
        if of and not bad and not blind:
            yield Finding(symptom, page, "", True, what, f"none of {_so_many(page, of)}", few=True)
        return
    history = _history(before)
    most = history[0] + max(slack, 4 * history[1]) if history else promise
    usual = f"{history[0]:.0%}, as in earlier runs" if history else f"at most {promise:.0%}"
    yield Finding(
        symptom,
        page,
        "",
        _at_least(bad, of) <= most,
        f"{what}: {usual}",
        seen.format(f"{bad} of {_so_many(page, of)}") + (f", mostly: {why}" if why else ""),
    )


def _fields(now: Figures, before: Sequence[Figures], promised: Sequence[str]) -> Iterator[Finding]:
    """The fields that were filled, of listings and of sellers."""
    for kind in ("listing", "seller"):
        for name, (filled, of) in sorted(now.of(kind).fields.items()):
            if of < LEAST_PAGES:
                continue
            history = _history(one.of(kind).fields.get(name, (0, 0)) for one in before)
            if history:
                least = history[0] - max(0.2, 4 * history[1])
                expected = f"{name} on {history[0]:.0%} of {_NAMES[kind]}, as in earlier runs"
            elif kind == "listing" and name in promised:
                least = 0.5
                expected = f"{name} on most {_NAMES[kind]}, as the definition promises"
            else:
                continue
            seen = f"{name} on {filled} of {_so_many(kind, of)}"
            yield Finding("field", kind, name, _at_most(filled, of) >= least, expected, seen)


def _results(now: Figures, same_plan: Sequence[Figures]) -> Iterator[Finding]:
    """Pages of results that lead to no listing."""
    leading, of = now.of("list").links
    if not of:
        return
    before = [one for one in _alike(now, same_plan) if one.of("list").links[1]][-LAST_RUNS:]
    usual = median(one.got for one in before) if before else 0
    history = _history(one.of("list").links for one in before)
    if not leading and (usual >= LEAST_FOUND if before else of >= LEAST_LISTS):
        well = False
        expected = f"about {usual:.0f} listings, as in earlier runs" if before else "any listing"
    elif history and of >= LEAST_PAGES:
        well = _at_most(leading, of) >= history[0] - max(0.3, 4 * history[1])
        expected = f"listings on {history[0]:.0%} of pages of results, as in earlier runs"
    elif leading:
        well, expected = True, "any listing"
    else:
        return
    seen = f"{leading} of {_so_many('list', of)} led to a listing"
    yield Finding("empty", "list", "", well, expected, seen)


def _found(now: Figures, same_plan: Sequence[Figures]) -> Iterator[Finding]:
    """Far fewer listings than this plan has found so far."""
    counts = [one.got for one in _alike(now, same_plan) if one.whole][-LAST_RUNS:]
    if not now.whole or len(counts) < LEAST_RUNS or median(counts) < 2 * LEAST_FOUND:
        return
    usual = median(counts)
    least = min(0.4 * usual, usual - 4 * _spread(counts))
    expected = f"about {usual:.0f} listings, as in earlier runs"
    yield Finding("found", "list", "", now.got >= least, expected, f"{now.got} listings")


def _new(now: Figures, same_plan: Sequence[Figures]) -> Iterator[Finding]:
    """Nearly everything new or changed at once: as after a change of ids or of titles."""
    shares = [one.new / one.listings for one in same_plan if one.listings >= LEAST_NEW]
    shares = shares[-LAST_RUNS:]
    if now.listings < LEAST_NEW or len(shares) < LEAST_RUNS:
        return
    usual = median(shares)
    most = usual + max(0.5, 4 * _spread(shares))
    yield Finding(
        "new",
        "listing",
        "",
        _at_least(now.new, now.listings) <= most,
        f"{usual:.0%} of listings new or changed, as in earlier runs",
        f"{now.new} of {now.listings} listings are new or changed",
    )


def _alike(now: Figures, same_plan: Sequence[Figures]) -> list[Figures]:
    """Runs that did not ask for far more: queries rest, and people change plans."""
    return [one for one in same_plan if one.asked <= 1.3 * now.asked]


def _blind(now: Figures) -> bool:
    """Whether pages of results came, and not one of them or of the listings could be read."""
    lists = now.of("list")
    return bool(lists.unread or lists.walls) and not lists.read and not now.listings


def _history(pairs: Iterable[tuple[int, int]]) -> tuple[float, float] | None:
    """Median and spread of the shares of earlier runs; None if they are too few."""
    shares = [part / of for part, of in pairs if of >= LEAST_PAGES][-LAST_RUNS:]
    return (median(shares), _spread(shares)) if len(shares) >= LEAST_RUNS else None


def _spread(values: Sequence[float]) -> float:
    """The median distance from the median, as large as a standard deviation would be."""
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)


def _at_least(part: int, of: int) -> float:
    """What a share is at least, were there many more of the same."""
    return wilson(min(part, of), of, _Z)[0]


def _at_most(part: int, of: int) -> float:
    return wilson(min(part, of), of, _Z)[1]


def _so_many(kind: str, number: int) -> str:
    names = _NAMES.get(kind, "pages")
    return f"{number} {names.replace('pages', 'page') if number == 1 else names}"
