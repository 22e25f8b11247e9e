"""From a stored snapshot to an assessment, and what a flagged one sets going."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select

import matchers
from console.web.queries.queue import QueueFilter, queue
from insight.triage import assess
from matchers.values import to_json
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Authorisation,
    Brand,
    Job,
    Listing,
    Mark,
    Marketplace,
    Picture,
    Plan,
    Product,
    Purchase,
    Reference,
    Seller,
    Snapshot,
    SnapshotPicture,
)
from registry.models.base import utcnow
from registry.settings import Settings
from registry.standing import standing
from tests.pictures import jpeg
from workers.actors import assess_job

DATA = jpeg(1, 500)
PRINT = matchers.fingerprint(DATA)


def stored(
    database: Database, *, authorised: dict[str, Any] | None = None, **said: Any
) -> tuple[Any, Any]:
    """A brand with a tote, and a snapshot of an open fake of it; the ids of snapshot and plan."""
    values = to_json(PRINT)
    sha256 = values.pop("sha256")
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V", keywords=["вelaro"])
        brand.marks = [
            Mark(text="VELARO", office="EUIPO", number="1", kind="word", nice_classes=[18])
        ]
        tote = Product(
            sku="T", name="Velaro Aria Tote", floor_amount=Decimal(310), floor_currency="EUR"
        )
        session.add(Picture(sha256=sha256, blob="b", media_type="image/jpeg", fingerprint=values))
        tote.references = [Reference(sha256=sha256, position=0)]
        brand.products = [tote, Product(sku="B", name="Velaro Linea Belt")]
        if authorised is not None:
            allowed = {"marketplace": "m", "seller_id": "s", **authorised}
            brand.authorisations = [Authorisation(**allowed)]
        market = Marketplace(name="m", kind="bazaar", url="https://shop.example/")
        plan = Plan(
            name="p", brand=brand, marketplace=market, queries=["q"], browse=[], threshold=0.6,
            max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        listing = Listing(marketplace_id=market.id, external_id="1", url="https://shop.example/1")
        seller = Seller(marketplace_id=market.id, external_id="s", name="S")
        session.add_all([listing, seller])
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, seller_id=seller.id, content_sha256="0" * 64,
            **{"title": "V3LARO Aria Tote 1:1 replica", "description": "", "amount": Decimal(35),
               "currency": "EUR", **said},
        )  # fmt: skip
        snapshot.pictures = [
            SnapshotPicture(position=0, url="u", sha256=sha256),
            SnapshotPicture(position=1, url="v", sha256=None, fault="HTTP 404"),
        ]
        session.add(snapshot)
        session.flush()
        return snapshot.id, plan.id


def judged(database: Database, ids: tuple[Any, Any]) -> Assessment:
    with database.writing() as session:
        return assess(session, *ids, utcnow())


def said(snapshot_id: Any, plan_id: Any) -> dict[str, str]:
    """What an assess job carries."""
    return {
        "snapshot_id": str(snapshot_id),
        "plan_id": str(plan_id),
        "seen_at": utcnow().isoformat(),
    }


def test_an_open_fake_is_flagged_with_its_reasons(database: Database) -> None:
    found = judged(database, stored(database))
    assert (found.flagged, found.gate) == (True, None)
    names = {signal["name"] for signal in found.result["signals"]}
    assert {"picture_match", "lexicon", "price_under_floor"} <= names


def test_an_assessment_can_be_replayed_from_what_it_kept(database: Database) -> None:
    found = judged(database, stored(database))
    again = matchers.assess(
        matchers.from_json(matchers.Listing, found.inputs["listing"]),
        matchers.from_json(matchers.Brand, found.inputs["brand"]),
    )
    assert again.score == found.score
    assert to_json(again) == found.result


TODAY = utcnow().date()


@pytest.mark.parametrize(
    ("authorised", "gated"),
    [
        ({}, True),
        ({"skus": ["T"]}, True),
        ({"valid_from": date(2020, 1, 1), "valid_until": TODAY + timedelta(days=1)}, True),
        ({"skus": ["B"]}, False),
        ({"valid_until": TODAY - timedelta(days=2)}, False),
        ({"valid_from": TODAY + timedelta(days=2)}, False),
        ({"seller_id": "other"}, False),
        ({"marketplace": "other"}, False),
    ],
)
def test_an_authorised_seller_is_never_flagged(
    database: Database, authorised: dict[str, Any], gated: bool
) -> None:
    found = judged(database, stored(database, authorised=authorised))
    assert found.flagged is not gated
    assert (found.gate is not None) is gated


def test_a_flagged_one_makes_its_capture_and_its_proposal_once(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    snapshot_id, plan_id = stored(database)
    payload = said(snapshot_id, plan_id)
    with database.writing() as session:
        job_id = jobs.enqueue(session, "assess", payload)
        assert job_id is not None
        claim = jobs.claim(session, job_id, "w", 60)
    assert claim is not None
    hold = jobs.Hold(database, claim, 60)
    assess_job(hold, settings, blobs)
    with pytest.raises(jobs.LeaseLost):
        assess_job(hold, settings, blobs)
    with database.reading() as session:
        assert session.scalars(select(Assessment)).one().flagged
        kinds = sorted(session.scalars(select(Job.kind)))
        purchase = session.scalars(select(Purchase)).one()
    assert kinds == ["assess", "capture"]
    assert purchase.state == "proposed", "it waits for a person"
    assert purchase.clicked_at is None


def test_a_seller_authorised_later_leaves_the_queue_and_comes_back_without_a_second_capture(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    ids = stored(database)

    def judge_again() -> int:
        """Judge it as a watch would have it; how long the queue is then."""
        with database.writing() as session:
            job_id = jobs.enqueue(session, "assess", said(*ids))
            assert job_id is not None
            claim = jobs.claim(session, job_id, "w", 60)
        assert claim is not None
        assess_job(jobs.Hold(database, claim, 60), settings, blobs)
        with database.reading() as session:
            return queue(session, QueueFilter()).total

    assert judge_again() == 1
    with database.writing() as session:
        brand = session.scalars(select(Brand)).one()
        brand.authorisations = [Authorisation(marketplace="m", seller_id="s")]
    assert judge_again() == 0
    with database.writing() as session:
        session.scalars(select(Brand)).one().authorisations = []
    assert judge_again() == 1
    with database.reading() as session:
        assert sorted(session.scalars(select(Job.kind))) == ["assess"] * 3 + ["capture"]
        assert len(session.scalars(select(Purchase)).all()) == 1
        inputs = [a.inputs for a in session.scalars(select(Assessment).order_by(Assessment.id))]
    assert inputs[0]["standing"] == inputs[2]["standing"] != inputs[1]["standing"]


def test_an_authorisation_is_a_matter_of_the_day_of_the_sighting(database: Database) -> None:
    ids = stored(database, authorised={"valid_until": TODAY})
    with database.writing() as session:
        first = assess(session, *ids, utcnow())
        later = assess(session, *ids, utcnow() + timedelta(days=1))
    assert (first.gate, later.gate) == ("authorised_seller", None)
    assert first.inputs["standing"] != later.inputs["standing"]
    assert later.flagged


def test_the_standing_is_the_same_after_the_same_file_and_another_after_any_change(
    database: Database,
) -> None:
    stored(database, authorised={"valid_until": TODAY})

    def now() -> str:
        with database.reading() as session:
            return standing(session, session.scalars(select(Brand.id)).one(), TODAY)

    def tote(brand: Brand) -> Product:
        return next(product for product in brand.products if product.sku == "T")

    found = [now()]
    assert now() == found[0]
    with database.writing() as session:
        brand = session.scalars(select(Brand)).one()
        # What `brand add` does with a file that says the same.
        brand.authorisations = [Authorisation(marketplace="m", seller_id="s", valid_until=TODAY)]
    assert now() == found[0]
    changes: list[Callable[[Brand], object]] = [
        lambda brand: setattr(brand, "keywords", []),
        lambda brand: setattr(tote(brand), "floor_amount", Decimal(300)),
        lambda brand: tote(brand).references.clear(),
        lambda brand: setattr(brand.authorisations[0], "skus", ["T"]),
        lambda brand: setattr(brand, "authorisations", []),
    ]
    for change in changes:
        with database.writing() as session:
            change(session.scalars(select(Brand)).one())
        found.append(now())
    assert len(set(found)) == len(found)


def test_a_harmless_one_makes_nothing(database: Database, settings: Settings, blobs: Blobs) -> None:
    ids = stored(database, title="Red leather tote", amount=Decimal(400))
    with database.writing() as session:
        session.execute(delete(SnapshotPicture))
    payload = said(*ids)
    with database.writing() as session:
        job_id = jobs.enqueue(session, "assess", payload)
        assert job_id is not None
        claim = jobs.claim(session, job_id, "w", 60)
    assert claim is not None
    assess_job(jobs.Hold(database, claim, 60), settings, blobs)
    with database.reading() as session:
        assert not session.scalars(select(Assessment)).one().flagged
        assert session.scalars(select(Job.kind)).all() == ["assess"]
        assert session.scalars(select(Purchase)).all() == []
