"""The page of one purchase and those of the random check, for whoever may see them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from console.web.app import create_app
from purchases import people, proposals
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Assessment, Capture, FrameListing, LedgerEntry, Purchase, SampleFrame
from registry.models.base import utcnow
from registry.settings import Settings
from tests.console.conftest import serve
from tests.console.test_tasks import client, console, give_product, purchase_id
from tests.purchases import staff
from tests.purchases.conftest import flagged
from tests.purchases.test_by_hand import EVE, SEND, Hand, bought_and_opened, examine

__all__ = ["console", "purchase_id"]  # fixtures


@pytest.fixture
def hand(database: Database, blobs: Blobs, tmp_path: Path, purchase_id: UUID) -> Hand:
    return Hand(database, blobs, tmp_path, purchase_id)


def test_all_of_a_purchase_is_on_its_page(
    settings: Settings, database: Database, blobs: Blobs, hand: Hand
) -> None:
    bought_and_opened(hand)
    page = f"/purchases/{hand.purchase_id}"
    with serve(create_app(settings, database, blobs)) as console:
        hand.tell("sent_to_examiner", examiner=EVE, details=SEND)
        with database.writing() as session:
            people.change(session, EVE, roles=["examiner", "requester"])
        with client(console, database, EVE) as eve:
            # She may see the house, but not what she examines: not on its page, in no list.
            assert eve.get(page).status_code == 403
            for path in ("/purchases", "/api/v1/purchases"):
                assert str(hand.purchase_id) not in eve.get(path).text, path
        with client(console, database, "Ada Lovelace") as ada:
            for path in ("/purchases", "/api/v1/purchases"):
                assert str(hand.purchase_id) in ada.get(path).text, path
        examine(hand, EVE, "counterfeit")
        text = console.page(page)
        with database.reading() as session:
            purchase = session.get_one(Purchase, hand.purchase_id)
            for event in purchase.events:
                assert f"<bdi>{event.actor}</bdi>" in text
            shown = {file.kind: file.exhibit_id for file in purchase.files}
            for file in purchase.files:
                assert file.sha256 in text
            entries = session.scalars(
                select(LedgerEntry).where(LedgerEntry.subject == f"purchase:{hand.purchase_id}")
            ).all()
            assert entries
            for entry in entries:
                assert f'id="entry-{entry.seq}"' in text
        # What the sender wrote stays apart; the buyer's name and street are nowhere.
        for hidden in ("9 Sender Street", "1 Example Street", "EC1A"):
            assert hidden not in text
        assert "reserved +55.00 EUR" in text or "reserved" in text
        for kind, status in (("item", 200), ("opening", 200), ("parcel", 404), ("order", 404)):
            answer = console.http.get(f"{page}/files/{shown[kind]}")
            assert (kind, answer.status_code) == (kind, status)
        assert console.http.get(f"/purchases/{UUID(int=1)}").status_code == 404


def test_a_checkout_is_seen_by_its_buyer_and_administrators_alone(
    settings: Settings, database: Database, blobs: Blobs, purchase_id: UUID
) -> None:
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        kept = Capture(
            listing_id=purchase.listing_id, purchase_id=purchase_id, url="http://127.0.0.1:9/",
            status="complete", http_status=200, sha256="0" * 64, size=4, operator="tester",
            blob=blobs.put_bytes(b"none", ".wacz"), screenshot_blob=blobs.put_bytes(b"n", ".png"),
            captured_at=utcnow(),
        )  # fmt: skip
        session.add(kept)
        session.flush()
        capture = f"/captures/{kept.id}"
        people.change(session, "Bea Buyer", roles=["buyer", "requester"])
    paths = (capture, f"{capture}/screenshot", f"{capture}/bundle", f"{capture}/parts/x.png")
    with serve(create_app(settings, database, blobs, replay_port=1)) as console:
        for name in (None, "Ada Lovelace", "Finn Finance"):
            with client(console, database, name) as other:
                for path in paths:
                    assert other.get(path).status_code == 403, (name, path)
                assert other.post(f"{capture}/verify").status_code == 403
                assert f"{capture}/bundle" not in other.get("/captures").text
        for name in ("Bea Buyer", "Ann Admin"):
            with client(console, database, name) as one:
                assert one.get(f"{capture}/bundle").content == b"none"
                page = one.get(capture)
                # Replay knows nobody, so it is not offered.
                assert (page.status_code, "<iframe" in page.text) == (200, False)


def test_a_name_with_a_code_is_nobody_elses(
    settings: Settings, database: Database, blobs: Blobs
) -> None:
    assessment_id = flagged(database)
    staff.enter(database, settings)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        purchase_id = made.id
        people.new_code(session, "Ada Lovelace")
    form = {"by": " ada  LOVELACE ", "limit": "50.00 EUR"}
    with serve(create_app(settings, database, blobs)) as console:
        refused = console.http.post(f"/purchases/{purchase_id}/approve", data=form)
        assert (refused.status_code, "sign in with it" in refused.text) == (422, True)
        verdict = console.http.post(
            f"/assessments/{assessment_id}/verdict",
            data={"by": "Ada Lovelace", "verdict": "genuine"},
        )
        assert verdict.status_code == 422
        with client(console, database, "Ada Lovelace") as ada:
            done = ada.post(f"/purchases/{purchase_id}/approve", data=form)
            assert done.status_code == 303
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).approved_by == "Ada Lovelace"


def test_the_random_check_says_what_is_known(
    settings: Settings, database: Database, blobs: Blobs
) -> None:
    assessment_id = flagged(database)
    staff.enter(database, settings)
    give_product(database, blobs, assessment_id)
    with database.writing() as session:
        listing_id = session.get_one(Assessment, assessment_id).snapshot.listing_id
        terms = {
            "since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z", "brand": "velaro",
            "strata": [["all", 4, 1]], "size": 1,
        }  # fmt: skip
        frame = SampleFrame(
            terms=terms, strata=terms["strata"], listings=4, size=1, sha256="0" * 64,
            frozen_by="Ann Admin",
        )  # fmt: skip
        session.add(frame)
        session.flush()
        session.add(
            FrameListing(
                frame_id=frame.id, listing_id=listing_id, stratum="all", probability=0.25, drawn=1
            )
        )
        frame_id = frame.id
    with serve(create_app(settings, database, blobs)) as console:
        page = f"/samples/{frame_id}"
        assert "not drawn from yet" in console.page(page)
        with database.writing() as session:
            row = session.get_one(SampleFrame, frame_id)
            row.seed, row.seed_source, row.sample_sha256 = "<b>1 2 3</b>", "Lotto", "1" * 64
            row.drawn_by, row.drawn_at = "Ann Admin", row.frozen_at
        drawn = console.page(page)
        assert "nothing is decided yet" in drawn
        assert "&lt;b&gt;1 2 3&lt;/b&gt;" in drawn
        # Entered by this test, not frozen by the house: the page says that it does not hold.
        assert "does not hold" in drawn
        with database.writing() as session:
            (bought,) = proposals.propose_drawn(session, frame_id, "Rae Requester")
        assert f"/purchases/{bought.id}" in console.page(page)
        assert f"/samples/{frame_id}" in console.page("/samples")
        assert console.http.get(f"/samples/{UUID(int=1)}").status_code == 404
