"""From a stored snapshot to an assessment, and what a flagged one sets going."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from console.web.queries.queue import QueueFilter, queue
from insight.replaying import replay
from insight.triage import assess
from matchers import pictures
from matchers.model import shipped
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    Authorisation,
    Brand,
    Job,
    Mark,
    Marketplace,
    Picture,
    Plan,
    Product,
    Purchase,
    Reference,
    SnapshotPicture,
)
from registry.models.base import utcnow
from registry.settings import Settings
from registry.standing import standing
from tests.insight.shop import picture, snapshot
from tests.pictures import draw, jpeg
from workers.actors import assess_job

DATA = jpeg(1, 500)


def stored(
    database: Database, blobs: Blobs, *, authorised: dict[str, Any] | None = None, **said: Any
) -> tuple[Any, Any]:
    """A brand with a tote, and a snapshot of an open fake of it; the ids of snapshot and plan."""
    with database.writing() as session:
        sha256 = picture(session, blobs, DATA)
        brand = Brand(slug="velaro", name="Velaro", owner="V", keywords=["вelaro"])
        brand.marks = [
            Mark(text="VELARO", office="EUIPO", number="1", kind="word", nice_classes=[18])
        ]
        tote = Product(
            sku="T", name="Velaro Aria Tote", floor_amount=Decimal(310), floor_currency="EUR"
        )
        tote.references = [Reference(sha256=sha256, position=0)]
        brand.products = [tote, Product(sku="B", name="Velaro Linea Belt")]
        if authorised is not None:
            allowed = {"marketplace": "m", "seller_id": "s", **authorised}
            brand.authorisations = [Authorisation(**allowed)]
        market = Marketplace(name="m", kind="bazaar", url="https://shop.example/")
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[], threshold=0.6,
            max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        return snapshot(session, market, sha256, **said), plan.id


def judged(
    settings: Settings, database: Database, blobs: Blobs, ids: tuple[Any, Any]
) -> Assessment:
    return kept(database, assess(database, blobs, settings, *ids, utcnow()))


def kept(database: Database, assessment: Assessment) -> Assessment:
    with database.writing() as session:
        session.add(assessment)
    return assessment


def said(snapshot_id: Any, plan_id: Any) -> dict[str, str]:
    """What an assess job carries."""
    return {
        "snapshot_id": str(snapshot_id),
        "plan_id": str(plan_id),
        "seen_at": utcnow().isoformat(),
    }


def test_an_open_fake_is_flagged_with_its_reasons(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    found = judged(settings, database, blobs, stored(database, blobs))
    assert (found.flagged, found.outcome, found.kind) == (True, "flag", "counterfeit")
    assert (found.gate, found.model_version) == (None, shipped().version)
    names = {signal["name"] for signal in found.result["signals"]}
    assert {"brand_disguised", "picture_match", "price_under_floor"} <= names
    assert any(name.startswith("lexicon_") for name in names)
    assert found.result["versions"].keys() >= {"model", "lexicon", "words", "pictures", "index"}


def test_the_matched_area_is_outlined_in_both_pictures(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    ids = stored(database, blobs)
    cropped = BytesIO()
    draw(1, 500).crop((75, 50, 450, 425)).save(cropped, "JPEG", quality=80)
    with database.writing() as session:
        shown = session.scalars(select(SnapshotPicture).where(SnapshotPicture.position == 0)).one()
        shown.sha256 = picture(session, blobs, cropped.getvalue())
    found = judged(settings, database, blobs, ids)
    match = found.inputs["listing"]["matches"][0]
    assert match["inliers"] > 0
    corners = match["reference_outline"]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    # What was cut away at the left and the right, give or take a thirtieth.
    assert left == pytest.approx(0.15, abs=0.035)
    assert right == pytest.approx(0.9, abs=0.035)
    assert len(match["listing_outline"]) >= 4


def test_an_assessment_can_be_replayed_from_what_it_kept_without_any_picture(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    found = judged(settings, database, blobs, stored(database, blobs))
    with database.writing() as session:
        session.execute(delete(SnapshotPicture))
        session.execute(delete(Authorisation))
    shutil.rmtree(settings.data_dir)
    with database.reading() as session:
        again = replay(session, found.id)
    assert again.same, again.differences
    assert again.score_now == found.score
    assert again.versions_now == found.result["versions"]


def test_a_replay_says_what_is_not_as_it_was(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    found = judged(settings, database, blobs, stored(database, blobs))
    with database.writing() as session:
        row = session.get_one(Assessment, found.id)
        row.inputs = {
            **row.inputs,
            "listing": {**row.inputs["listing"], "title": "Red tote", "matches": []},
        }
    with database.reading() as session:
        again = replay(session, found.id)
    assert not again.same
    assert any(said.startswith("score: ") for said in again.differences)
    assert "signal brand_disguised: then, not now" in again.differences


def test_one_from_before_models_is_not_replayed_but_said_so(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    found = judged(settings, database, blobs, stored(database, blobs))
    with database.writing() as session:
        session.get_one(Assessment, found.id).inputs = {}
    with database.reading() as session:
        with pytest.raises(TouchstoneError, match="older than models"):
            replay(session, found.id)
        with pytest.raises(TouchstoneError, match="there is no assessment"):
            replay(session, uuid4())


def test_a_picture_that_cannot_be_had_is_left_out_with_its_fault(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    ids = stored(database, blobs)
    with database.writing() as session:
        gone = picture(session, blobs, jpeg(7))
        session.get_one(Picture, gone).blob = "00/gone.jpg"
        broken = picture(session, blobs, jpeg(8))
        session.get_one(Picture, broken).blob = blobs.put_bytes(b"\xff\xd8 no picture", ".jpg")
        rows = [
            SnapshotPicture(snapshot_id=ids[0], position=2 + turn, url="w", sha256=sha256)
            for turn, sha256 in enumerate((gone, broken))
        ]
        session.add_all(rows)
    found = judged(settings, database, blobs, ids)
    assert found.inputs["faults"].keys() == {gone, broken}
    assert found.inputs["faults"][gone] == "the store has it no more"
    assert len(found.inputs["listing"]["pictures"]) == 1
    assert found.flagged


def test_fingerprints_of_another_version_are_worked_out_anew(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    ids = stored(database, blobs)
    with database.writing() as session:
        for row in session.scalars(select(Picture)):
            row.matcher, row.fingerprint, row.traits = "old", {"hashes": {"whole": "00"}}, b"old"
    found = judged(settings, database, blobs, ids)
    assert found.inputs["listing"]["matches"]
    assert len(found.inputs["listing"]["pictures"][0]["hash"]) == 64
    with database.reading() as session:
        assert set(session.scalars(select(Picture.matcher))) == {pictures.VERSION}


def test_the_plan_can_only_ask_for_more_than_the_model(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    ids = stored(database, blobs)
    with database.writing() as session:
        session.scalars(select(Plan)).one().threshold = 0.9999999
    strict = judged(settings, database, blobs, ids)
    assert (strict.outcome, strict.flagged) == ("flag", False)
    # Cheap goods under the brand's name, and nothing else against them.
    mild = stored_again(database, blobs, ids[1], title="Velaro Aria Tote", amount=Decimal(250))
    with database.writing() as session:
        session.scalars(select(Plan)).one().threshold = 0.000001
    found = judged(settings, database, blobs, (mild, ids[1]))
    assert found.outcome in ("abstain", "pass")
    assert not found.flagged, "no plan makes a flag of what the model does not flag"


def stored_again(database: Database, blobs: Blobs, plan_id: Any, **said: Any) -> Any:
    """Another listing on the same marketplace; the id of its snapshot."""
    with database.writing() as session:
        market = session.get_one(Plan, plan_id).marketplaces[0]
        sha256 = picture(session, blobs, jpeg(55))
        return snapshot(session, market, sha256, external_id="2", seller="s2", **said)


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
    database: Database,
    blobs: Blobs,
    settings: Settings,
    authorised: dict[str, Any],
    gated: bool,
) -> None:
    found = judged(settings, database, blobs, stored(database, blobs, authorised=authorised))
    assert found.flagged is not gated
    assert (found.gate is not None) is gated


def test_a_flagged_one_makes_its_capture_and_its_proposal_once(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    snapshot_id, plan_id = stored(database, blobs)
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
    assert kinds == ["assess", "capture", "follow"]
    assert purchase.state == "proposed", "it waits for a person"
    assert purchase.clicked_at is None


def test_a_seller_authorised_later_leaves_the_queue_and_comes_back_without_a_second_capture(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    ids = stored(database, blobs)

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
        assert sorted(session.scalars(select(Job.kind))) == ["assess"] * 3 + ["capture", "follow"]
        assert len(session.scalars(select(Purchase)).all()) == 1
        inputs = [a.inputs for a in session.scalars(select(Assessment).order_by(Assessment.id))]
    assert inputs[0]["standing"] == inputs[2]["standing"] != inputs[1]["standing"]


def test_an_authorisation_is_a_matter_of_the_day_of_the_sighting(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    ids = stored(database, blobs, authorised={"valid_until": TODAY})
    first = assess(database, blobs, settings, *ids, utcnow())
    later = assess(database, blobs, settings, *ids, utcnow() + timedelta(days=1))
    assert (first.gate, later.gate) == ("authorised_seller", None)
    assert first.inputs["standing"] != later.inputs["standing"]
    assert later.flagged


def test_the_standing_is_the_same_after_the_same_file_and_another_after_any_change(
    database: Database, blobs: Blobs
) -> None:
    stored(database, blobs, authorised={"valid_until": TODAY})

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
        lambda brand: setattr(brand, "nicknames", ["vel"]),
        lambda brand: setattr(brand, "product_words", ["bag"]),
        lambda brand: setattr(brand.marks[0], "nice_classes", [18, 25]),
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
    ids = stored(database, blobs, title="Red leather tote", amount=Decimal(400))
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
