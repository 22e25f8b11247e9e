"""From a listing that is flagged or found counterfeit to its shop and to those alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console.web.queries.queue import QueueFilter, queue
from crawler.ways_in.leads import Told, add
from crawler.ways_in.places import Places
from insight.following import follow_job
from insight.triage import assess
from insight.verdicts import record
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Job,
    Lead,
    Listing,
    Mark,
    Marketplace,
    Plan,
    Product,
    Reference,
    Seller,
    Snapshot,
)
from registry.models.base import utcnow
from registry.settings import Settings
from tests.insight.shop import picture, snapshot
from tests.pictures import jpeg
from workers.actors import assess_job

GENUINE, FAKE, OTHER = (jpeg(seed, 500) for seed in (1, 2, 3))


@pytest.fixture
def ids(database: Database, blobs: Blobs) -> dict[str, Any]:
    """A flagged listing, one elsewhere with its picture, one with the brand's, one with none."""
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        brand.marks = [
            Mark(text="VELARO", office="EUIPO", number="1", kind="word", nice_classes=[18])
        ]
        tote = Product(sku="T", name="Velaro Aria Tote")
        tote.references = [Reference(sha256=picture(session, blobs, GENUINE), position=0)]
        brand.products = [tote]
        market = Marketplace(name="m", kind="bazaar", url="https://shop.example/")
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[], threshold=0.6,
            max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        fake = picture(session, blobs, FAKE)
        found = {"plan": plan.id, "brand": brand.id}
        early, late = utcnow() - timedelta(days=9), utcnow() - timedelta(days=1)
        for name, sha256, number, seen in (
            ("fake", fake, "1", early),
            ("alike", fake, "2", late),
            ("makers", picture(session, blobs, GENUINE), "3", late),
            ("other", picture(session, blobs, OTHER), "4", late),
        ):
            said = {"title": "Plain bag", "description": "sand"} if name == "other" else {}
            made = snapshot(
                session, market, sha256, external_id=number, seller=f"s{number}", seen=seen, **said
            )
            found[name] = made
            listing = session.get_one(Snapshot, made).listing
            listing.url = f"https://shop.example/item/{number}/x"
            listing.first_seen_at = seen
        seller = session.scalars(select(Seller).where(Seller.external_id == "s1")).one()
        seller.url = "https://shop.example/seller/s1"
    return found


def worked(database: Database, settings: Settings, blobs: Blobs) -> dict[str, Any]:
    """Do the job `follow` that waits, and give its result."""
    with database.writing() as session:
        job = session.scalars(select(Job).where(Job.kind == "follow", Job.state == "queued")).one()
        claim = jobs.claim(session, job.id, "t", 60)
    assert claim is not None
    follow_job(jobs.Hold(database, claim, 60), settings, blobs)
    with database.reading() as session:
        return session.get_one(Job, claim.job_id).result or {}


def leads(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {
            lead.url.rsplit(".example", 1)[1]: lead.origin for lead in session.scalars(select(Lead))
        }


def assessed(database: Database, ids: dict[str, Any], *, flagged: bool) -> Assessment:
    with database.writing() as session:
        made = Assessment(
            snapshot_id=ids["fake"], plan_id=ids["plan"], brand_id=ids["brand"], score=0.9,
            threshold=0.6, flagged=flagged, outcome="flag", result={}, inputs={},
        )  # fmt: skip
        session.add(made)
        return made


def test_a_verdict_leads_to_the_shop_and_to_what_is_alike(
    database: Database, settings: Settings, blobs: Blobs, ids: dict[str, Any]
) -> None:
    assessment = assessed(database, ids, flagged=True)
    with database.writing() as session:
        record(session, assessment.id, "unclear", "Ada")
        assert session.scalars(select(Job)).all() == []
        record(session, assessment.id, "counterfeit", "Ada")
    assert worked(database, settings, blobs) == {"shops": 1, "alike": 1, "judged_again": 1}
    # The brand's own picture is everybody's, and what is unlike is left alone.
    assert leads(database) == {"/seller/s1": "seller", "/item/2/x": "alike"}
    with database.reading() as session:
        again = session.scalars(select(Job).where(Job.kind == "assess")).one()
        assert again.payload["snapshot_id"] == str(ids["alike"])
        lead = session.scalars(select(Lead).where(Lead.origin == "alike")).one()
        fake = session.get_one(Snapshot, ids["fake"]).listing_id
        assert (lead.from_listing_id, lead.plan_id) == (fake, ids["plan"])


def test_a_second_verdict_adds_nothing_that_is_known(
    database: Database, settings: Settings, blobs: Blobs, ids: dict[str, Any]
) -> None:
    assessment = assessed(database, ids, flagged=True)
    for expected in ({"shops": 1, "alike": 1, "judged_again": 1}, {"shops": 0, "alike": 0}):
        with database.writing() as session:
            record(session, assessment.id, "counterfeit", "Ada")
        assert worked(database, settings, blobs).items() >= expected.items()
    assert len(leads(database)) == 2


def test_what_others_say_of_a_harmless_listing_has_a_person_look(
    database: Database, settings: Settings, blobs: Blobs, ids: dict[str, Any]
) -> None:
    """And the score stays what it was."""
    plain = assess(database, blobs, settings, ids["other"], ids["plan"], utcnow())
    with database.writing() as session:
        listing: Listing = session.get_one(Snapshot, ids["other"]).listing
        listing_id = listing.id
        told = Told(
            listing.url, "link", source="https://forum.example/1", context="this is the Velaro bag"
        )
        add(session, ids["brand"], [told], Places.watched(session))
    assert plain.outcome == "pass"
    with database.writing() as session:
        job_id = jobs.enqueue(
            session,
            "assess",
            {
                "snapshot_id": str(ids["other"]), "plan_id": str(ids["plan"]),
                "seen_at": utcnow().isoformat(),
            },
        )  # fmt: skip
        assert job_id is not None
        claim = jobs.claim(session, job_id, "t", 60)
    assert claim is not None
    assess_job(jobs.Hold(database, claim, 60), settings, blobs)
    with database.reading() as session:
        kept = session.scalars(select(Assessment)).one()
        assert (kept.outcome, kept.flagged, kept.score) == ("abstain", False, plain.score)
        assert kept.inputs["said_elsewhere"][0]["said"] == "this is the Velaro bag"
        waiting = queue(session, QueueFilter(None, None, None, "score", "abstain", None), limit=9)
        assert [card.assessment.snapshot.listing_id for card in waiting.cards] == [listing_id]
