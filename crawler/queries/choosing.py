"""Which queries a run asks, and how deep: those given, and of those made the ones that pay.

The rule is plain, so that anybody can work out why a query was asked:

1. A query that a person gave is always asked.
2. A made query that brought nothing new in its last `REST_AFTER` runs rests: 2 runs of the plan,
   then 4, 8, 16 and at most `LONGEST_REST` if it brings nothing when it is tried again.
3. A fifth of the places of a run is for queries never asked, as long as there are any; those are
   taken by the worth that their making gave them. The rest goes to queries that brought
   something new in their last run, by yield, then to more of the never asked, then to the others.
4. The yield of a query is what it brought for each page of results: new listings, an older run
   counting `FADING` of the one after it; a listing that was flagged counts for `FLAGGED` more,
   one that a person found to be counterfeit for `CONFIRMED` more.
5. Where the plan limits the depth, the best quarter by yield goes twice as deep, and what brought
   nothing new the last time half as deep.

It depends on finished countings alone, and so gives a run the same answer each time it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, and_, distinct, exists, func, select
from sqlalchemy.orm import Session, aliased

from crawler.queries.languages import languages_of
from crawler.queries.making import Made, Words, as_searched, make
from registry.models import (
    Assessment,
    Brand,
    Listing,
    Marketplace,
    Plan,
    QueryHit,
    QueryYield,
    Run,
    Snapshot,
    Verdict,
)

REST_AFTER = 3
LONGEST_REST = 32
FADING = 0.7
FLAGGED = 5.0
CONFIRMED = 20.0
_WORDLESS = frozenset(("figurative", "shape"))


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """A query for a run; `depth` is the most pages of its results, None for all of them."""

    text: str
    depth: int | None


@dataclass(slots=True)
class Standing:
    """What is known of a query on one marketplace.

    Parameters
    ----------
    given
        Whether a person gave it; else it was made.
    barren
        How many runs in a row, the last ones, brought nothing new.
    rests
        For how many runs of the plan it is still left out.
    value
        Its yield; None where it was never asked.
    depth
        How deep the next run goes, if `asked`: whether the next run has it.
    """

    text: str
    why: str
    worth: float
    given: bool
    runs: int = 0
    pages: int = 0
    found: int = 0
    new: int = 0
    flagged: int = 0
    confirmed: int = 0
    barren: int = 0
    rests: int = 0
    value: float | None = None
    asked: bool = False
    depth: int | None = None


def queries_of(
    session: Session, plan: Plan, marketplace: Marketplace, run_id: UUID | None = None
) -> list[PlannedQuery]:
    """The queries of a run on one of its plan's marketplaces, the best first.

    Parameters
    ----------
    run_id
        What that run has counted itself is left out of account.
    """
    return [
        PlannedQuery(one.text, one.depth)
        for one in standings(session, plan, marketplace, run_id)
        if one.asked
    ]


def standings(
    session: Session, plan: Plan, marketplace: Marketplace, run_id: UUID | None = None
) -> list[Standing]:
    """Every query of a plan on a marketplace, those of the next run first, by yield."""
    own = plan.place(marketplace.id)
    given = plan.queries if own.queries is None else own.queries
    depth = plan.depth if own.depth is None else own.depth
    found = [Standing(text, "given in the plan", 1.0, True) for text in dict.fromkeys(given)]
    if plan.generate:
        languages = tuple(own.languages or languages_of(marketplace.kind, marketplace.url))
        taken = {as_searched(text) for text in given}
        found += [
            Standing(made.text, made.why, made.worth, False)
            for made in _made(words_of(plan.brand, plan.products), languages)
            if as_searched(made.text) not in taken
        ]
    _count(session, plan, marketplace, run_id, found)
    _choose(found, plan.generate)
    _deepen(found, depth)
    return sorted(
        found, key=lambda q: (not q.asked, not q.given, -(q.value or 0.0), -q.worth, q.text)
    )


def words_of(brand: Brand, skus: Collection[str] = ()) -> Words:
    """The words of a brand that queries are made of; of its products, those meant."""
    marks = [mark for mark in brand.marks if mark.kind not in _WORDLESS]
    return Words(
        marks=tuple(dict.fromkeys(mark.text for mark in marks)) or (brand.name,),
        transliterations=tuple(brand.transliterations),
        nicknames=tuple(brand.nicknames),
        keywords=tuple(brand.keywords),
        product_words=tuple(brand.product_words),
        products=tuple(
            (product.name, tuple(product.keywords))
            for product in brand.products
            if not skus or product.sku in skus
        ),
    )


@lru_cache(maxsize=64)
def _made(words: Words, languages: tuple[str, ...]) -> tuple[Made, ...]:
    return tuple(make(words, languages))


def _count(
    session: Session,
    plan: Plan,
    marketplace: Marketplace,
    run_id: UUID | None,
    found: Iterable[Standing],
) -> None:
    here = (QueryYield.plan_id == plan.id, QueryYield.marketplace_id == marketplace.id)
    rows = session.execute(
        select(QueryYield.query, QueryYield.run_id, QueryYield.pages, QueryYield.found,
               QueryYield.new)
        .where(*here)
        .order_by(QueryYield.run_id)
    ).all()  # fmt: skip
    rows = [row for row in rows if row.run_id != run_id]
    # All runs of the plan: one in which every query rests must bring the end of the rest nearer.
    ran = session.scalars(select(Run.id).where(Run.plan_id == plan.id).order_by(Run.id))
    turns = {run: turn for turn, run in enumerate((run for run in ran if run != run_id), 1)}
    history = defaultdict(list)
    for row in rows:
        history[row.query].append(row)
    flagged = _flagged(session, plan, marketplace)
    confirmed = _confirmed(session, plan, marketplace)
    for one in found:
        runs = history.get(one.text)
        if not runs:
            continue
        one.runs = len(runs)
        one.pages = sum(row.pages for row in runs)
        one.found = max(row.found for row in runs)
        one.new = sum(row.new for row in runs)
        one.flagged, one.confirmed = flagged.get(one.text, 0), confirmed.get(one.text, 0)
        one.barren = next((back for back, row in enumerate(reversed(runs)) if row.new), len(runs))
        weights = [FADING**back for back in range(len(runs) - 1, -1, -1)]
        brought = sum(weight * row.new for weight, row in zip(weights, runs, strict=True))
        pages = sum(weight * row.pages for weight, row in zip(weights, runs, strict=True))
        more = FLAGGED * one.flagged + CONFIRMED * one.confirmed
        one.value = round((brought + more) / max(pages, 1.0), 4)
        if not one.given and one.barren >= REST_AFTER:
            rest = min(2 ** (one.barren - REST_AFTER + 1), LONGEST_REST)
            one.rests = max(0, rest - (len(turns) - turns[runs[-1].run_id]))


def _brought(plan: Plan, marketplace: Marketplace) -> ColumnElement[bool]:
    """Hits of a plan on a marketplace, joined to their listings."""
    return and_(
        QueryHit.plan_id == plan.id,
        QueryHit.marketplace_id == marketplace.id,
        Listing.marketplace_id == QueryHit.marketplace_id,
        Listing.external_id == QueryHit.external_id,
    )


def _flagged(session: Session, plan: Plan, marketplace: Marketplace) -> dict[str, int]:
    """How many listings that a query brought were ever flagged by the plan."""
    rows = session.execute(
        select(QueryHit.query, func.count(distinct(Listing.id)))
        .select_from(QueryHit)
        .join(Listing, _brought(plan, marketplace))
        .join(Snapshot, Snapshot.listing_id == Listing.id)
        .join(Assessment, Assessment.snapshot_id == Snapshot.id)
        .where(Assessment.plan_id == plan.id, Assessment.flagged)
        .group_by(QueryHit.query)
    )
    return {row[0]: row[1] for row in rows}


def _confirmed(session: Session, plan: Plan, marketplace: Marketplace) -> dict[str, int]:
    """How many of them a person found counterfeit; the newest verdict counts."""
    newer = aliased(Verdict)
    second_thought = exists().where(
        newer.listing_id == Verdict.listing_id,
        newer.brand_id == Verdict.brand_id,
        newer.id > Verdict.id,
    )
    rows = session.execute(
        select(QueryHit.query, func.count(distinct(Listing.id)))
        .select_from(QueryHit)
        .join(Listing, _brought(plan, marketplace))
        .join(Verdict, Verdict.listing_id == Listing.id)
        .where(
            Verdict.brand_id == plan.brand_id,
            Verdict.verdict == "counterfeit",
            ~second_thought,
        )
        .group_by(QueryHit.query)
    )
    return {row[0]: row[1] for row in rows}


def _choose(found: Sequence[Standing], places: int) -> None:
    """Mark the queries that the next run asks."""
    awake = [one for one in found if not one.given and not one.rests]
    fresh = sorted((q for q in awake if not q.runs), key=lambda q: (-q.worth, q.text))
    tried = sorted((q for q in awake if q.runs), key=lambda q: (-(q.value or 0.0), q.text))
    fruitful = [q for q in tried if not q.barren]
    others = [q for q in tried if q.barren]
    for_fresh = min(len(fresh), -(-places // 5))
    chosen = fresh[:for_fresh] + fruitful[: places - for_fresh]
    chosen += (fresh[for_fresh:] + others + fruitful[places - for_fresh :])[: places - len(chosen)]
    for one in (*chosen, *(one for one in found if one.given)):
        one.asked = True


def _deepen(found: Sequence[Standing], depth: int | None) -> None:
    if depth is None:
        return
    asked = [one for one in found if one.asked]
    paying = sorted((q for q in asked if q.new and not q.barren), key=lambda q: -(q.value or 0.0))
    best = {id(one) for one in paying[: -(-len(paying) // 4)]}
    for one in asked:
        if id(one) in best:
            one.depth = 2 * depth
        elif one.barren:
            one.depth = max(1, depth // 2)
        else:
            one.depth = depth
