"""Watch plans: read from a YAML file, kept under their name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.brandfile import Slug, read_yaml
from registry.errors import TouchstoneError
from registry.models import Brand, Marketplace, Plan

Line = Annotated[str, Field(min_length=1, max_length=500)]


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

    @model_validator(mode="after")
    def _something_to_do(self) -> PlanFile:
        if not self.queries and not self.browse:
            raise ValueError("a plan needs 'queries' or 'browse', or it looks at nothing")
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
    session.flush()
    return plan


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
