"""Watch plans: read from a YAML file, kept under their name, written out again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import TouchstoneError
from registry.models import Brand, Marketplace, Plan, PlanMarketplace
from registry.models.base import utcnow
from registry.planparts import Fault, MarketplacePart, PlanFaults, PlanFile, raw_places, read_parts
from registry.schedule import schedule_of

#: What can be read of each kind of marketplace: ``pages``, ``json``, ``api``.
Kinds = Mapping[str, Collection[str]]


def read_plan(path: Path) -> PlanFile:
    """Read a plan file.

    Raises
    ------
    PlanFaults
        One line that says everything that is wrong, and where.
    TouchstoneError
        If it cannot be read.
    """
    _, file, faults = read_parts(path)
    if file is None:
        raise PlanFaults(path, faults)
    return file


def check_plan(session: Session, path: Path, kinds: Kinds) -> list[Fault]:
    """Every mistake in a plan file, of form and by what is registered; nothing is written.

    Raises
    ------
    TouchstoneError
        If the file cannot be read.
    """
    loaded, _, faults = read_parts(path)
    return [*faults, *unfit(session, loaded, kinds)]


def unfit(session: Session, loaded: dict[str, Any], kinds: Kinds) -> Iterator[Fault]:
    """What in a plan, as plain data, does not fit what is registered."""
    slug = loaded.get("brand")
    brand = None
    if isinstance(slug, str):
        brand = session.scalar(select(Brand).where(Brand.slug == slug))
        if brand is None:
            yield Fault("brand", f"{slug!r} is not registered: run 'touchstone brand add FILE'")
    products = loaded.get("products")
    if brand is not None and isinstance(products, list):
        for at, said in enumerate(products):
            if _sku(brand, str(said)) is None:
                known = ", ".join(product.sku for product in brand.products[:10])
                yield Fault(
                    f"products[{at}]",
                    f"{said!r} is no SKU, GTIN or name of a product of {brand.slug} ({known})",
                )
    for place, part in raw_places(loaded):
        yield from _unfit_marketplace(session, place, part, kinds)


def _unfit_marketplace(
    session: Session, place: str, part: dict[str, Any], kinds: Kinds
) -> Iterator[Fault]:
    name = part.get("name")
    kind: str | None = part.get("kind")
    if not isinstance(name, str):
        return
    there = session.scalar(select(Marketplace).where(Marketplace.name == name))
    if kind is None:
        if there is None and "url" not in part:
            yield Fault(place, f"{name!r} is not under watch yet: give its kind and url")
        kind = there.kind if there is not None else None
    elif kind not in kinds:
        yield Fault(f"{place}.kind", f"{kind!r} is unknown; there are: {', '.join(sorted(kinds))}")
        return
    elif there is not None and there.kind != kind:
        yield Fault(f"{place}.kind", f"marketplace {name} is a {there.kind}, not a {kind}")
    interface = part.get("interface")
    if (
        kind is not None
        and kind in kinds
        and isinstance(interface, str)
        and interface not in kinds[kind]
    ):
        yield Fault(
            f"{place}.interface", f"of a {kind} there is {' and '.join(kinds[kind])} to be read"
        )


def save_plan(session: Session, file: PlanFile, kinds: Kinds) -> Plan:
    """Write a plan and its marketplaces, or bring those of that name to what the file says.

    Parameters
    ----------
    kinds
        The marketplace definitions that there are.

    Raises
    ------
    PlanFaults
        If brand, product or kind of marketplace is unknown, or if a marketplace's name stands
        for another one already.
    """
    faults = list(unfit(session, file.model_dump(mode="json", exclude_none=True), kinds))
    if faults:
        raise PlanFaults(f"plan {file.name}", faults)
    brand = session.scalars(select(Brand).where(Brand.slug == file.brand)).one()
    skus = [sku for said in file.products if (sku := _sku(brand, said)) is not None]
    plan = session.scalar(select(Plan).where(Plan.name == file.name))
    if plan is None:
        plan = Plan(name=file.name)
        session.add(plan)
    plan.brand, plan.products = brand, list(dict.fromkeys(skus))
    plan.queries, plan.generate = list(file.queries.given), file.queries.generate
    plan.browse, plan.depth = list(file.browse), file.depth
    plan.link_pages = [str(url) for url in file.link_pages]
    plan.threshold, plan.max_pages = file.threshold, file.max_pages
    plan.max_browser_minutes = file.max_browser_minutes
    plan.proxy, plan.persona, plan.user_agent = file.proxy, file.persona, file.user_agent
    _save_places(session, plan, file.places)
    _save_times(plan, file)
    session.flush()
    return plan


def _save_places(session: Session, plan: Plan, parts: list[MarketplacePart]) -> None:
    before = {place.marketplace_id: place for place in plan.places}
    kept = []
    for position, part in enumerate(parts):
        marketplace = _marketplace(session, part)
        place = before.get(marketplace.id) or PlanMarketplace(marketplace=marketplace)
        place.position = position
        place.queries, place.browse = part.queries, part.browse
        place.depth, place.languages = part.depth, part.languages
        place.interface = part.interface
        kept.append(place)
    plan.places = kept


def _marketplace(session: Session, part: MarketplacePart) -> Marketplace:
    marketplace = session.scalar(select(Marketplace).where(Marketplace.name == part.name))
    if marketplace is None:
        marketplace = Marketplace(name=part.name, kind=part.kind, url=str(part.url))
        session.add(marketplace)
    elif part.url is not None and marketplace.url != str(part.url):
        # What was allowed for one address, a plan file may not turn on another.
        marketplace.mode, marketplace.mode_by, marketplace.mode_at = "rehearse", None, None
        marketplace.robots_ignored_by = marketplace.robots_why = marketplace.robots_at = None
        marketplace.url = str(part.url)
    robots = part.robots
    if robots is not None and robots.obey:
        marketplace.robots_ignored_by = marketplace.robots_why = marketplace.robots_at = None
    elif robots is not None and (robots.ignored_by, robots.why) != (
        marketplace.robots_ignored_by,
        marketplace.robots_why,
    ):
        marketplace.robots_ignored_by, marketplace.robots_why = robots.ignored_by, robots.why
        marketplace.robots_at = utcnow()
    session.flush()
    return marketplace


def _sku(brand: Brand, said: str) -> str | None:
    """The SKU of the product that is meant: by SKU, GTIN or name."""
    folded = said.strip().casefold()
    for product in brand.products:
        if folded in (product.sku.casefold(), product.name.casefold(), product.gtin or ""):
            return product.sku
    return None


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


def as_file(plan: Plan) -> dict[str, Any]:
    """A plan as its file would say it; read again it makes the same plan."""
    queries: Any = list(plan.queries)
    if plan.generate:
        queries = (
            {"given": queries, "generate": plan.generate}
            if queries
            else {"generate": plan.generate}
        )
    said = {
        "name": plan.name,
        "brand": plan.brand.slug,
        "products": list(plan.products),
        "marketplaces": [_place_as_file(place) for place in plan.places],
        "queries": queries,
        "browse": list(plan.browse),
        "link_pages": list(plan.link_pages),
        "depth": plan.depth,
        "threshold": plan.threshold,
        "max_pages": plan.max_pages,
        "max_browser_minutes": plan.max_browser_minutes,
        "schedule": list(plan.schedule),
        "time_zone": plan.time_zone if plan.schedule or plan.opening_hours else None,
        "jitter": plan.jitter or None,
        "opening_hours": list(plan.opening_hours),
        "proxy": plan.proxy,
        "persona": plan.persona,
        "user_agent": plan.user_agent,
    }
    return {name: value for name, value in said.items() if value not in (None, [], {})}


def _place_as_file(place: PlanMarketplace) -> dict[str, Any]:
    marketplace = place.marketplace
    said: dict[str, Any] = {
        "name": marketplace.name,
        "kind": marketplace.kind,
        "url": marketplace.url,
        "queries": place.queries,
        "browse": place.browse,
        "depth": place.depth,
        "languages": place.languages,
        "interface": place.interface,
    }
    if marketplace.robots_ignored_by:
        said["robots"] = {
            "ignored_by": marketplace.robots_ignored_by,
            "why": marketplace.robots_why,
        }
    return {name: value for name, value in said.items() if value is not None}


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
