"""Plans with what they watch, when they run, and what their queries have yielded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from crawler.queries.choosing import Standing, standings
from registry.models import Alarm, Lead, Plan, PlanMarketplace, Run

RUNS_SHOWN = 10
#: Queries left out of the next run that are shown of one marketplace.
LEFT_OUT_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan in the list, with its last run and how many leads wait for it."""

    plan: Plan
    last: Run | None


@dataclass(frozen=True, slots=True)
class Asked:
    """The queries of a plan on one marketplace: those of the next run, and the others."""

    place: PlanMarketplace
    asked: Sequence[Standing]
    left_out: Sequence[Standing]
    more: int

    @property
    def most(self) -> float:
        """The best yield among them: what the bars are drawn against."""
        return max((q.value or 0.0 for q in (*self.asked, *self.left_out)), default=0.0)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """All that the page of a plan shows."""

    plan: Plan
    queries: Sequence[Asked]
    runs: Sequence[Run]
    leads: dict[str, int]
    alarms: Sequence[Alarm]


_PLACES = selectinload(Plan.places).selectinload(PlanMarketplace.marketplace)


def plans(session: Session) -> Sequence[PlanRow]:
    """All plans by name."""
    newest = select(Run.plan_id, func.max(Run.started_at)).group_by(Run.plan_id)
    runs = session.scalars(
        select(Run).where(tuple_(Run.plan_id, Run.started_at).in_(newest)).order_by(Run.id)
    )
    last = {run.plan_id: run for run in runs}
    found = session.scalars(
        select(Plan).order_by(Plan.name).options(_PLACES, selectinload(Plan.brand))
    )
    return [PlanRow(plan, last.get(plan.id)) for plan in found]


def plan_file(session: Session, plan_id: UUID) -> PlanFile | None:
    """One plan with its queries, runs and leads."""
    plan = session.get(Plan, plan_id, options=[_PLACES, selectinload(Plan.brand)])
    if plan is None:
        return None
    runs = session.scalars(
        select(Run).where(Run.plan_id == plan_id).order_by(Run.id.desc()).limit(RUNS_SHOWN)
    ).all()
    counted = session.execute(
        select(Lead.state, func.count())
        .where(
            Lead.brand_id == plan.brand_id,
            Lead.marketplace_id.in_([place.marketplace_id for place in plan.places]),
            (Lead.plan_id == plan_id) | Lead.plan_id.is_(None),
        )
        .group_by(Lead.state)
    )
    alarms = session.scalars(
        select(Alarm)
        .where(
            Alarm.closed_at.is_(None),
            Alarm.marketplace_id.in_([place.marketplace_id for place in plan.places]),
            (Alarm.plan_id == plan_id) | Alarm.plan_id.is_(None),
        )
        .order_by(Alarm.id.desc())
    ).all()
    return PlanFile(
        plan=plan,
        queries=[_asked(session, plan, place) for place in plan.places],
        runs=runs,
        alarms=alarms,
        leads={state: number for state, number in counted},  # noqa: C416 - rows are no pairs
    )


def _asked(session: Session, plan: Plan, place: PlanMarketplace) -> Asked:
    found = standings(session, plan, place.marketplace)
    others = [query for query in found if not query.asked]
    # Those that were tried first: the others are only what might be.
    others.sort(key=lambda query: not query.runs)
    return Asked(
        place,
        [query for query in found if query.asked],
        others[:LEFT_OUT_SHOWN],
        max(0, len(others) - LEFT_OUT_SHOWN),
    )
