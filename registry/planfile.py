"""Watch plans: read from a YAML file, kept under their name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    field_validator,
    model_validator,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import cron
from registry.brandfile import Slug, read_yaml
from registry.errors import TouchstoneError
from registry.models import Brand, Marketplace, Plan
from registry.models.base import utcnow
from registry.schedule import parse_window, schedule_of, zone

#: Later than this after it was due, a run is no longer that run.
MAX_JITTER_SECONDS = 86_400

Line = Annotated[str, Field(min_length=1, max_length=500)]


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Lines = Annotated[list[Line], Field(max_length=50), BeforeValidator(_one_or_many)]


class MarketplacePart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Slug
    kind: Slug
    url: HttpUrl


class PlanFile(BaseModel):
    """The whole file; see docs/plan-file.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    name: Slug
    brand: Slug
    marketplace: MarketplacePart
    queries: list[Line] = []
    browse: list[Line] = []
    threshold: float = Field(default=0.6, gt=0, lt=1)
    max_pages: int = Field(default=1000, ge=1, le=1_000_000)
    max_browser_minutes: float | None = Field(default=None, gt=0, le=1440, allow_inf_nan=False)
    schedule: Lines = []
    time_zone: str = "UTC"
    jitter: int = Field(default=0, ge=0, le=MAX_JITTER_SECONDS)
    opening_hours: Lines = []

    @field_validator("schedule")
    @classmethod
    def _crons(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(cron.parse(text).text for text in value))

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return zone(value).key

    @field_validator("opening_hours")
    @classmethod
    def _windows(cls, value: list[str]) -> list[str]:
        for text in value:
            parse_window(text)
        return list(dict.fromkeys(" ".join(text.split()) for text in value))

    @model_validator(mode="after")
    def _something_to_do(self) -> PlanFile:
        if not self.queries and not self.browse:
            raise ValueError("a plan needs 'queries' or 'browse', or it looks at nothing")
        if self.jitter and not self.schedule:
            raise ValueError("'jitter' spreads the runs of a 'schedule', and there is none")
        return self


def read_plan(path: Path) -> PlanFile:
    """Read a plan file.

    Raises
    ------
    TouchstoneError
        One line that says what is wrong and where.
    """
    plan: PlanFile = read_yaml(path, PlanFile, "plan file")
    return plan


def save_plan(session: Session, file: PlanFile, kinds: frozenset[str]) -> Plan:
    """Write a plan and its marketplace, or bring those of that name to what the file says.

    Parameters
    ----------
    kinds
        The marketplace definitions that there are.

    Raises
    ------
    TouchstoneError
        If the brand or the kind of marketplace is unknown, or if the marketplace's name
        stands for another one already.
    """
    brand = session.scalar(select(Brand).where(Brand.slug == file.brand))
    if brand is None:
        raise TouchstoneError(
            f"plan {file.name}: brand {file.brand!r} is not registered: "
            "run 'touchstone brand add FILE'"
        )
    part = file.marketplace
    if part.kind not in kinds:
        raise TouchstoneError(
            f"plan {file.name}: marketplace kind {part.kind!r} is unknown; "
            f"there are: {', '.join(sorted(kinds))}"
        )
    marketplace = session.scalar(select(Marketplace).where(Marketplace.name == part.name))
    if marketplace is None:
        marketplace = Marketplace(name=part.name, kind=part.kind)
        session.add(marketplace)
    elif marketplace.kind != part.kind:
        raise TouchstoneError(
            f"plan {file.name}: marketplace {part.name} is a {marketplace.kind}, not a {part.kind}"
        )
    elif marketplace.url != str(part.url) and marketplace.ordering:
        # Ordering was allowed for one address; a plan file may not turn it on another.
        marketplace.ordering = False
    marketplace.url = str(part.url)
    plan = session.scalar(select(Plan).where(Plan.name == file.name))
    if plan is None:
        plan = Plan(name=file.name)
        session.add(plan)
    plan.brand, plan.marketplace = brand, marketplace
    plan.queries, plan.browse = list(file.queries), list(file.browse)
    plan.threshold, plan.max_pages = file.threshold, file.max_pages
    plan.max_browser_minutes = file.max_browser_minutes
    _save_times(plan, file)
    session.flush()
    return plan


def _save_times(plan: Plan, file: PlanFile) -> None:
    names = ("schedule", "time_zone", "jitter", "opening_hours")
    if all(getattr(plan, name) == getattr(file, name) for name in names):
        return  # what is due and not yet seen to stays due
    for name in names:
        setattr(plan, name, getattr(file, name))
    plan_ahead(plan, utcnow())


def plan_ahead(plan: Plan, now: datetime) -> None:
    """Have a plan be due next after a moment, whatever was due before; paused, not at all."""
    schedule = schedule_of(plan) if plan.paused_at is None else None
    plan.next_due_at = schedule.next_after(now) if schedule is not None else None


def find_plan(session: Session, name: str) -> Plan:
    """The plan of that name.

    Raises
    ------
    TouchstoneError
        Naming the plans that there are.
    """
    plan = session.scalar(select(Plan).where(Plan.name == name))
    if plan is None:
        known = session.scalars(select(Plan.name).order_by(Plan.name)).all()
        there = ", ".join(known) if known else "none yet"
        raise TouchstoneError(
            f"there is no plan {name!r} (known: {there}); give a plan's name or its YAML file"
        )
    return plan
