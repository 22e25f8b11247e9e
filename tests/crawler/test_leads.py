"""Leads: kept once, taken by one run at a time, settled, judged by what is said elsewhere."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.ways_in.leads import Added, Told, add, add_found, refuse, said_elsewhere, settle, take
from crawler.ways_in.places import Places
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Job, Lead, Marketplace, Plan, Run, Snapshot
from registry.models.base import utcnow
from tests.crawler.ways_in import listed, planned, run_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

SHOP = "http://shop.example"


def tell(session: Session, plan: Plan, *urls: str, origin: str = "list", **said: str) -> Added:
    told = [Told(url, origin, **said) for url in urls]  # type: ignore[arg-type]
    return add(session, plan.brand_id, told, Places.watched(session))


def states(session: Session) -> dict[str, str]:
    return {lead.url: lead.state for lead in session.scalars(select(Lead))}


def test_one_address_is_one_lead(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        added = tell(
            session,
            plan,
            f"{SHOP}/item/1/aria",
            f"{SHOP}/item/1/aria?utm_source=x#top",
            f"{SHOP}/item/1/another-name",
            f"{SHOP}/seller/9",
            "https://www.amazon.de/dp/B0CXYZ1234?tag=a",
            "https://amazon.de/gp/product/B0CXYZ1234",
            "https://nobody.example/x?b=2&a=1",
            "https://nobody.example/x?a=1&b=2",
        )
        assert (added.new, added.known, added.nowhere) == (4, 4, 2)
        again = tell(session, plan, f"{SHOP}/item/1/x")
        assert (again.new, again.known) == (0, 1)
        leads = {lead.url: lead for lead in session.scalars(select(Lead))}
        first = leads[f"{SHOP}/item/1/aria"]
        assert (first.external_id, first.page, first.times) == ("1", "listing", 2)
        assert leads[f"{SHOP}/seller/9"].page == "list"
        amazon = leads["https://www.amazon.de/dp/B0CXYZ1234?tag=a"]
        assert (amazon.kind, amazon.marketplace_id) == ("amazon", None)
        assert (
            amazon.why_waiting
            == "it looks like amazon, which is not under watch: a plan can name it"
        )
        assert "no marketplace" in (leads["https://nobody.example/x?b=2&a=1"].why_waiting or "")


def test_each_lead_is_taken_by_one_run_and_given_back_if_that_dies(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        tell(session, plan, *(f"{SHOP}/item/{n}/x" for n in range(10)))
        tell(session, plan, f"{SHOP}/item/99/x", origin="tip")
        market, first, second = (
            plan.marketplaces[0].id,
            run_of(session, plan),
            run_of(session, plan),
        )
        mine = take(session, plan.id, market, first.id, 4)
        assert mine[0].origin == "tip"
        theirs = take(session, plan.id, market, second.id, 100)
        assert len(mine) == 4
        assert len(theirs) == 7
        assert not {lead.id for lead in mine} & {lead.id for lead in theirs}
        settle(session, mine[0].id, "seen")
        settle(session, mine[1].id, "gone", "HTTP 404")
        settle(session, mine[2].id, "waiting", "HTTP 503")
        assert [lead.id for lead in take(session, plan.id, market, second.id, 9)] == [mine[2].id]
        first.state = "failed"
        session.flush()
        third = run_of(session, plan)
        assert [lead.id for lead in take(session, plan.id, market, third.id, 9)] == [mine[3].id]
        with pytest.raises(ValueError, match="settled"):
            settle(session, mine[3].id, "lost")


def test_another_brands_and_another_plans_leads_are_left_alone(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        other = Plan(
            name="other", brand=plan.brand, marketplaces=list(plan.marketplaces), queries=[],
            browse=[], threshold=0.5, max_pages=1,
        )  # fmt: skip
        session.add(other)
        session.flush()
        add(
            session,
            plan.brand_id,
            [Told(f"{SHOP}/item/1/x", "list", plan_id=other.id)],
            Places.watched(session),
        )
        market, run = plan.marketplaces[0].id, run_of(session, plan)
        assert take(session, plan.id, market, run.id, 9) == []
        assert len(take(session, other.id, market, run_of(session, other).id, 9)) == 1


def test_a_lead_waits_for_its_marketplace(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        tell(session, plan, "https://www.ebay.de/itm/123456789012", "https://small.example/p/bag")
        ebay = Marketplace(name="ebay", kind="ebay", url="https://www.ebay.de/")
        small = Marketplace(name="small", kind="schema.org", url="https://small.example/")
        plan.marketplaces += [ebay, small]
        session.flush()
        run = run_of(session, plan)
        (one,) = take(session, plan.id, ebay.id, run.id, 9)
        assert (one.external_id, one.page, one.why_waiting) == ("123456789012", "listing", None)
        (two,) = take(session, plan.id, small.id, run.id, 9)
        assert two.marketplace_id == small.id


def test_who_names_a_seen_address_again(database: Database) -> None:
    url = f"{SHOP}/item/1/x"
    with database.writing() as session:
        plan = planned(session)
        tell(session, plan, url, origin="link", source="https://forum.example/1")
        market = plan.marketplaces[0].id
        (lead,) = take(session, plan.id, market, run_of(session, plan).id, 1)
        settle(session, lead.id, "seen")
        # The same page says the same in every run.
        assert tell(session, plan, url, origin="link", source="https://forum.example/1").again == 0
        assert tell(session, plan, url, origin="link", source="https://forum.example/2").again == 1
        take(session, plan.id, market, run_of(session, plan).id, 1)
        settle(session, lead.id, "seen")
        assert tell(session, plan, url, origin="seller").again == 0
        lead.changed_at = utcnow() - timedelta(days=30)
        assert tell(session, plan, url, origin="seller").again == 1
        refuse(session, lead.id, "Ada", "our own shop")
        assert tell(session, plan, url, origin="tip").refused == 1
        settle(session, lead.id, "seen")
        assert states(session) == {url: "refused"}
        with pytest.raises(TouchstoneError, match="say why"):
            refuse(session, lead.id, "Ada", " ")


def test_a_shops_other_listings_become_leads_if_they_are_new(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        market = plan.marketplaces[0].id
        known = listed(session, market, "7")
        source = Told(f"{SHOP}/seller/9", "seller", from_listing_id=known.id)
        add(session, plan.brand_id, [source], Places.watched(session))
        (shop,) = take(session, plan.id, market, run_of(session, plan).id, 9)
        cards = [(f"{SHOP}/item/{n}/x", str(n)) for n in range(500)]
        added = add_found(session, shop, cards)
        assert added.new == 200
        found = session.scalars(select(Lead).where(Lead.page == "listing")).all()
        assert {lead.origin for lead in found} == {"seller"}
        assert {lead.from_listing_id for lead in found} == {known.id}
        assert "7" not in {lead.external_id for lead in found}


def snapshot_of(session: Session, listing_id: UUID) -> Snapshot:
    snapshot = Snapshot(
        listing_id=listing_id, content_sha256="0" * 64, title="Plain bag", description="",
        attributes={},
    )  # fmt: skip
    session.add(snapshot)
    session.flush()
    return snapshot


def test_what_is_said_elsewhere_has_a_listing_judged_again(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        market = plan.marketplaces[0].id
        listing = listed(session, market, "1")
        snapshot = snapshot_of(session, listing.id)
        tell(
            session, plan, listing.url, origin="link", source="https://f.example", context="VELARO"
        )
        run = run_of(session, plan)
        (lead,) = take(session, plan.id, market, run.id, 9)
        settle(session, lead.id, "seen")
        # The first assessment is on its way, and knows of it.
        assert session.scalars(select(Job)).all() == []
        said = said_elsewhere(session, listing, plan.brand_id)
        assert said == [{"origin": "link", "source": "https://f.example", "said": "VELARO"}]
        session.add(
            Assessment(
                snapshot_id=snapshot.id,
                plan_id=plan.id,
                brand_id=plan.brand_id,
                score=0.0,
                threshold=0.6,
                flagged=False,
                result={},
                inputs={},
            )
        )
        tell(session, plan, listing.url, origin="link", source="https://g.example")
        take(session, plan.id, market, run_of(session, plan).id, 9)
        settle(session, lead.id, "seen")
        (job,) = session.scalars(select(Job)).all()
        assert (job.kind, job.payload["snapshot_id"]) == ("assess", str(snapshot.id))
        assert session.get_one(Run, run.id).state == "running"
