"""A purchase by hand, from proposal to verdict, and what nobody else may see of it."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import ExifTags, Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from evidence.custody.cases import store_file
from insight.verdicts import newest_verdicts
from purchases import assigning, examining, files, manual, money, people, personas, proposals
from purchases.states import IllegalMove
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    Brand,
    Case,
    Exhibit,
    FrameListing,
    LedgerEntry,
    Purchase,
    SampleFrame,
)
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged

BEA, EVE, SOL = "Bea Buyer", "Eve Examiner", "Sol Second"
PLANTED = personas.Persona(
    name="Zyxwina Qrstuv", email="zyxwina@qrstuv-mail.example", line1="77 Planted Lane",
    city="Xanaduville", postcode="ZQ9 7XW", country="GB", phone="+449998887776",
)  # fmt: skip
CARD = "4929 1234 5678 9101"
RECEIVED = {
    "carrier": "DHL", "tracking": "JD01", "place": "Bonn",
    "sender_address": "9 Sender Street, Yiwu", "postmark": "Yiwu 2026-11-20",
    "weight": "410 g", "seal": "S-1",
}  # fmt: skip


def photograph(folder: Path, name: str, *, position: bool = False) -> Path:
    path = folder / f"{name}.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2026:11:24 10:20:30"
    if position:
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef] = "N", "W"
        place[ExifTags.GPS.GPSLatitude] = (50.0, 44.0, 2.0)
        place[ExifTags.GPS.GPSLongitude] = (7.0, 5.0, 59.0)
    Image.new("RGB", (40, 30), name).save(path, exif=exif)
    return path


class Hand:
    """The buyer's and the examiners' hands."""

    def __init__(self, database: Database, blobs: Blobs, folder: Path, purchase_id: UUID) -> None:
        self.database, self.blobs, self.folder = database, blobs, folder
        self.purchase_id = purchase_id

    def file(self, kind: str, colour: str, by: str = BEA, *, position: bool = False) -> None:
        stored = store_file(self.blobs, photograph(self.folder, colour, position=position))
        with self.database.writing() as session:
            files.add(
                session, self.blobs, self.purchase_id, stored, by=by, kind=kind,
                sent_sha256=stored.sha256.upper(),
            )  # fmt: skip

    def tell(self, to: str, by: str = BEA, **given: Any) -> None:
        with self.database.writing() as session:
            manual.tell(session, self.purchase_id, by, to, **given)

    def refused(self, to: str, by: str = BEA, **given: Any) -> None:
        with pytest.raises(TouchstoneError):
            self.tell(to, by, **given)


@pytest.fixture
def hand(database: Database, settings: Settings, blobs: Blobs, tmp_path: Path) -> Hand:
    """A purchase in Bea's hands."""
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database), by_hand=True)
    return Hand(database, blobs, tmp_path, purchase_id)


def bought_and_opened(hand: Hand) -> None:
    with hand.database.writing() as session:
        manual.begin(session, hand.purchase_id, BEA)
    order: dict[str, Any] = {"order_number": "B-17", "total": Money.parse("49.99 EUR")}
    hand.refused("ordered", **order)  # no proof is there yet
    hand.file("order", "red")
    hand.refused("ordered", **{**order, "total": Money.parse("55.01 EUR")})
    hand.tell("ordered", **order)
    hand.tell("paid", paid=Money.parse("49.99 EUR"))
    hand.refused("shipped", details={"carrier": "DHL"})
    hand.tell("shipped", details={"carrier": "DHL", "tracking": "JD01"})
    hand.file("parcel", "green", position=True)
    hand.tell("received_sealed", details=RECEIVED)
    hand.file("opening", "blue")
    hand.tell("opened", details={"place": "Bonn", "seal_intact": "yes", "contents": "one tote"})
    hand.file("item", "white")


def features(database: Database) -> None:
    with database.writing() as session:
        examining.add_feature(session, "velaro", "genuine", "8 stitches an inch", by="Ann Admin")
        examining.add_feature(session, "velaro", "tell", "a glued seam", by="Ann Admin")


def examine(hand: Hand, by: str, outcome: str) -> None:
    with hand.database.writing() as session:
        examining.confirm(session, hand.purchase_id, by, "Lab 2")
    with hand.database.writing() as session:
        purchase = session.get_one(Purchase, hand.purchase_id)
        answers = {one.id: ("yes", "seen") for one in examining.features_of(session, purchase)}
        examining.examine(
            session, hand.purchase_id, by, method="microscope", answers=answers,
            outcome=outcome, reasons="the seam is glued",
        )  # fmt: skip


SEND = {"method": "courier", "place": "Bonn", "seal": "S-2"}


def test_from_proposal_to_verdict(database: Database, hand: Hand) -> None:
    features(database)
    bought_and_opened(hand)
    for nobody in (BEA, "Ada Lovelace", "Finn Finance"):
        hand.refused("sent_to_examiner", examiner=nobody, details=SEND)
    hand.tell("sent_to_examiner", examiner=EVE, details=SEND)
    with pytest.raises(TouchstoneError, match="in hand"), database.writing() as session:
        examining.examine(
            session, hand.purchase_id, EVE, method="m", answers={}, outcome="genuine", reasons="r"
        )
    with pytest.raises(IllegalMove), database.writing() as session:
        examining.confirm(session, hand.purchase_id, SOL, "Lab 2")
    with database.writing() as session:
        examining.confirm(session, hand.purchase_id, EVE, "Lab 2")
    with pytest.raises(TouchstoneError, match="wants an answer"), database.writing() as session:
        examining.examine(
            session, hand.purchase_id, EVE, method="m", answers={}, outcome="genuine", reasons="r"
        )
    with database.writing() as session:
        purchase = session.get_one(Purchase, hand.purchase_id)
        answers = {one.id: ("yes", "") for one in examining.features_of(session, purchase)}
        assert len(answers) == 2
        examining.examine(
            session, hand.purchase_id, EVE, method="microscope", answers=answers,
            outcome="counterfeit", reasons="a glued seam",
        )  # fmt: skip
        assert purchase.state == "examined"
    hand.refused("verdict", EVE, outcome="counterfeit", details={"grounds": "x"})
    with pytest.raises(TouchstoneError, match="no examiner"), database.writing() as session:
        examining.judge(session, hand.purchase_id, EVE, "genuine", "x")
    with database.writing() as session:
        examining.judge(session, hand.purchase_id, EVE, "counterfeit", "the seam is glued")
    hand.refused("closed", BEA, details={"disposal": "kept", "place": "room 3"})
    hand.tell("closed", "Ann Admin", details={"disposal": "kept", "place": "room 3"})

    with database.reading() as session:
        purchase = session.get_one(Purchase, hand.purchase_id)
        assert (purchase.state, purchase.outcome) == ("closed", "counterfeit")
        assert newest_verdicts(session, [purchase.listing_id]) == {
            purchase.listing_id: "counterfeit"
        }
        case = session.scalars(select(Case)).one()
        kinds = [exhibit.kind for exhibit in case.exhibits]
        assert kinds == ["purchase", "file", "file", "file", "file"]
        assert all(one.sensitive for one in case.exhibits if one.kind == "file")
        parcel = next(one for one in purchase.files if one.kind == "parcel")
        assert parcel.taken == {
            "at": "2026-11-24 10:20:30", "latitude": 50.733889, "longitude": -7.099722,
        }  # fmt: skip
        told = session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.subject == f"purchase:{purchase.id}")
            .order_by(LedgerEntry.seq)
        ).all()
        assert [entry.event for entry in told] == [
            "moved", "moved", "moved", "exhibit_added", "moved", "moved", "moved",
            "parcel_received", "opened", "moved", "handed_over", "examined", "verdict", "moved",
        ]  # fmt: skip
        received = next(entry for entry in told if entry.event == "parcel_received")
        assert parcel.sha256 in received.leaf
        assert "Sender Street" not in "".join(entry.leaf for entry in told)
        assert money.balance(session)["EUR"]["spent"] == Decimal("49.99")
        assert money.faults(session) == []


def test_two_examiners_and_how_they_agree(database: Database, hand: Hand) -> None:
    with database.writing() as session:
        examining.set_examiners(session, "velaro", 2, by="Ann Admin")
    features(database)
    bought_and_opened(hand)
    hand.refused("sent_to_examiner", examiner=EVE, details=SEND)
    hand.refused("sent_to_examiner", examiner=EVE, second_examiner=EVE, details=SEND)
    hand.tell("sent_to_examiner", examiner=EVE, second_examiner=SOL, details=SEND)
    with pytest.raises(TouchstoneError, match="has it still"), database.writing() as session:
        examining.confirm(session, hand.purchase_id, SOL, "Lab 2")
    examine(hand, EVE, "counterfeit")
    with database.reading() as session:
        assert session.get_one(Purchase, hand.purchase_id).state == "sent_to_examiner"
    examine(hand, SOL, "genuine")
    with pytest.raises(TouchstoneError, match="differ"), database.writing() as session:
        examining.judge(session, hand.purchase_id, EVE, "counterfeit", "x")
    with database.writing() as session:
        examining.judge(session, hand.purchase_id, SOL, "inconclusive", "they differ")
    with database.reading() as session:
        assert examining.agreement(session) == examining.Agreement(1, 0, 0.0)
        purchase = session.get_one(Purchase, hand.purchase_id)
        assert newest_verdicts(session, [purchase.listing_id]) == {}


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # Cohen's own kind of table, worked out by hand: po .7, pe .5.
        ((20, 5, 10, 15), 0.4),
        ((45, 15, 25, 15), 0.1304),
        ((25, 35, 5, 35), 0.2593),
        ((10, 0, 0, 10), 1.0),
        ((0, 10, 10, 0), -1.0),
    ],
)
def test_kappa_is_that_of_the_books(table: tuple[int, ...], kappa: float) -> None:
    cells = (("y", "y"), ("y", "n"), ("n", "y"), ("n", "n"))
    pairs = [pair for pair, number in zip(cells, table, strict=True) for _ in range(number)]
    found = examining.cohens_kappa(pairs)
    assert found is not None
    assert found == pytest.approx(kappa, abs=5e-5)
    from sklearn.metrics import cohen_kappa_score

    assert found == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    assert examining.cohens_kappa([]) is examining.cohens_kappa([("y", "y")]) is None


def test_what_arrived_otherwise_than_it_was_sent_is_refused(database: Database, hand: Hand) -> None:
    stored = store_file(hand.blobs, photograph(hand.folder, "red"))
    for by, sent, said in ((BEA, "0" * 64, "send it again"), (EVE, stored.sha256, "no part")):
        with pytest.raises(TouchstoneError, match=said), database.writing() as session:
            files.add(
                session, hand.blobs, hand.purchase_id, stored, by=by, kind="order", sent_sha256=sent
            )


def test_a_persona_is_shown_to_its_buyer_for_the_task_and_is_nowhere_else(
    database: Database, settings: Settings, hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = open_vault(settings)
    with database.writing() as session:
        personas.set_secret(session, vault, "card-7", CARD, by="Finn Finance")
        bea = people.find(session, BEA)
        row = personas.add(session, vault, bea, "P-9", PLANTED, "card-7")
        again = session.scalars(select(Assessment)).first()
        assert again is not None
        proposals.reject(session, hand.purchase_id, "Ada Lovelace", "another try")
        made = proposals.propose(session, _copy(session, again))
        assert made is not None
        proposals.approve(session, made.id, "Ada Lovelace")
        assigning.assign(session, vault, made.id, "Ada Lovelace", how="hand", persona="P-9")
        purchase_id = made.id
        assert row.sealed
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        shown = personas.shown_to(session, vault, purchase, people.find(session, BEA))
        assert shown == PLANTED
        assert personas.means_of(session, vault, purchase, people.find(session, BEA)) == CARD
        for name in staff.STAFF:
            if name != BEA:
                with pytest.raises(TouchstoneError, match="not"):
                    personas.shown_to(session, vault, purchase, people.find(session, name))
    with database.writing() as session:
        proposals.reject(session, purchase_id, "Ada Lovelace", "over")
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        with pytest.raises(TouchstoneError, match="on its way"):
            personas.shown_to(session, vault, purchase, people.find(session, BEA))

    dumped = dump(database).casefold()
    assert "bea buyer" in dumped
    logged = "\n".join(record.getMessage() for record in caplog.records).casefold()
    for planted in (*PLANTED.model_dump(exclude={"country"}).values(), CARD):
        for form in {planted.casefold(), planted.casefold().encode().hex()}:
            assert form not in dumped
            assert form not in logged


def _copy(session: Session, first: Assessment) -> Assessment:
    made = Assessment(
        snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
        score=0.9, threshold=0.6, flagged=True, result={"signals": []}, inputs={},
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def dump(database: Database) -> str:
    """Everything in the database as text, bytes as hexadecimal digits."""
    if database.backend == "sqlite":
        raw = database.engine.raw_connection()
        try:
            assert raw.driver_connection is not None
            return "\n".join(raw.driver_connection.iterdump())
        finally:
            raw.close()
    with database.engine.connect() as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        return "\n".join(
            str(row)
            for name in names.all()
            for row in connection.execute(text(f'SELECT t::text FROM "{name}" t'))
        )


def test_a_persona_is_new_to_the_seller_and_never_the_brand(
    database: Database, settings: Settings, hand: Hand
) -> None:
    vault = open_vault(settings)
    bought_and_opened(hand)
    with database.writing() as session:
        first = session.scalars(select(Assessment)).first()
        assert first is not None
        # The same seller again: it saw P-1 before.
        again = proposals._propose(
            session, _copy(session, first), Money.parse("35.00 EUR"), people.MACHINE
        )
        proposals.approve(session, again.id, "Ada Lovelace")
        purchase_id = again.id
    with pytest.raises(TouchstoneError, match="pattern"), database.writing() as session:
        assigning.assign(session, vault, purchase_id, "Ada Lovelace", how="hand")
    with database.writing() as session:
        bea = people.find(session, BEA)
        own = PLANTED.model_copy(update={"email": "shop@velaro.example"})
        personas.add(session, vault, bea, "brand", own)
        personas.add(session, vault, bea, "P-2", PLANTED)
    with pytest.raises(TouchstoneError, match="brand's own"), database.writing() as session:
        assigning.assign(session, vault, purchase_id, "Ada Lovelace", how="hand", persona="brand")
    with database.writing() as session:
        brand = personas.find(session, "brand")
        brand.active = False
    with database.writing() as session:
        done = assigning.assign(session, vault, purchase_id, "Ada Lovelace", how="hand")
        assert done.persona_id == personas.find(session, "P-2").id


def test_the_random_arm_keeps_place_and_probability(database: Database) -> None:
    assessment_id = flagged(database)
    with database.writing() as session:
        assessment = session.get_one(Assessment, assessment_id)
        listing_id = assessment.snapshot.listing_id
        frame = SampleFrame(
            terms={"brand": session.scalars(select(Brand.slug)).one()}, strata=[], listings=1,
            size=1, sha256="0" * 64, frozen_by="Ann Admin",
        )  # fmt: skip
        session.add(frame)
        session.flush()
        frame_id = frame.id
        session.add(
            FrameListing(
                frame_id=frame.id, listing_id=listing_id, stratum="all", probability=0.25, drawn=1
            )
        )
    with pytest.raises(TouchstoneError, match="drawn sample"), database.writing() as session:
        proposals.propose_drawn(session, frame_id, "Rae Requester")
    with database.writing() as session:
        session.get_one(SampleFrame, frame_id).seed = "1 2 3"
    with database.writing() as session:
        # It is under suspicion as well: these are two purchases, and never one.
        assert proposals.propose(session, session.get_one(Assessment, assessment_id))
        (drawn,) = proposals.propose_drawn(session, frame_id, "Rae Requester")
        assert (drawn.arm, drawn.place, drawn.probability) == ("random", 1, 0.25)
        assert proposals.propose_drawn(session, frame_id, "Rae Requester") == []
        # Another frame may draw the same listing again.
        other = SampleFrame(
            terms=frame.terms, strata=[], listings=1, size=1, sha256="1" * 64, frozen_by="Ann",
            seed="4",
        )  # fmt: skip
        session.add(other)
        session.flush()
        session.add(
            FrameListing(
                frame_id=other.id, listing_id=listing_id, stratum="all", probability=1.0, drawn=1
            )
        )
        session.flush()
        assert len(proposals.propose_drawn(session, other.id, "Rae Requester")) == 1
        assert session.scalars(select(Exhibit)).all() == []
