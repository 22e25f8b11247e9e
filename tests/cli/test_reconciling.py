"""After an order, by the command alone: e-mails, messages, deadlines, and what is unclear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from purchases import manual, people, personas
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Job
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.cli.test_purchases import text, touchstone
from tests.purchases import staff
from tests.purchases.conftest import flagged

LETTER = (
    "From: Bazaar <orders@bazaar.example>\nTo: buyer@example.com\n"
    "Subject: Your order B-00000017\n\nOrder number: B-00000017\nItem: Tote\n"
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(tmp_path / "data"))
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def purchase_id(settings: Settings) -> UUID:
    """A purchase by hand of which the buyer does not know what came."""
    touchstone("init")
    database = Database(settings.database)
    assessment_id = flagged(database)
    made = staff.approved_and_assigned(database, settings, assessment_id, by_hand=True)
    with database.writing() as session:
        manual.begin(session, made, "Bea Buyer")
        manual.tell(session, made, "Bea Buyer", "outcome_unclear", note="the phone died")
    database.close()
    return made


def test_an_e_mail_and_a_mailbox_tell_what_came_of_it(
    purchase_id: UUID, tmp_path: Path, settings: Settings
) -> None:
    bea, ada = (("--by", name) for name in ("Bea Buyer", "Ada Lovelace"))
    box = tmp_path / "box"
    for folder in ("new", "cur", "tmp"):
        (box / folder).mkdir(parents=True)
    touchstone("persona", "mailbox", "P-1", f"maildir://{box}", *bea)
    (found,) = touchstone("purchase", "reconcile", *ada)
    assert (found["proposal"], found["state"]) == ("nothing", "outcome_unclear")
    (box / "new" / "1.x.mail").write_text(LETTER)
    (found,) = touchstone("purchase", "reconcile", purchase_id, *bea)
    assert (found["proposal"], found["order_number"]) == ("ordered", "B-00000017")

    # A second one, that came another way; and the first, which is kept already.
    other = tmp_path / "other.eml"
    other.write_text(LETTER.replace("bazaar.example", "elsewhere.example"))
    kept = touchstone("purchase", "mail", purchase_id, other, *ada)
    assert (kept["kind"], kept["known_sender"]) == ("confirmation", False)
    for name, content, why in (
        ("same", LETTER.encode(), "kept with the purchase already"),
        ("none", b"\x00\x01", "no e-mail"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TouchstoneError, match=why):
            touchstone("purchase", "mail", purchase_id, tmp_path / name, *bea)
    with pytest.raises(TouchstoneError, match="no part"):
        touchstone("purchase", "mail", purchase_id, other, "--by", "Eve Examiner")
    (tmp_path / "again.eml").write_text(LETTER + "\nmore\n")
    said = text("purchase", "mail", purchase_id, tmp_path / "again.eml", *bea)
    assert "confirmation, from bazaar.example (the shop's)" in said

    settled = touchstone(
        "purchase", "settle", purchase_id, *bea, "--ordered", "--order-number", "B-00000017",
        "--note", "e-mail",
    )  # fmt: skip
    assert settled["state"] == "ordered"
    with pytest.raises(TouchstoneError, match="no part"):
        touchstone("purchase", "reconcile", purchase_id, "--by", "Eve Examiner")
    said = touchstone("purchase", "show", purchase_id)
    assert [one["proposal"] for one in said["looks"]] == ["nothing", "ordered"]
    assert len(said["letters"]) == 3
    assert "e-mail: confirmation" in text("purchase", "show", purchase_id)


def test_a_buyer_asks_after_their_own(purchase_id: UUID, settings: Settings) -> None:
    database = Database(settings.database)
    with database.writing() as session:
        ben = people.add(session, "Ben Buyer", ["buyer"])
        personas.add(session, open_vault(settings), ben, "P-2", personas.EXAMPLE)
    try:
        assert touchstone("purchase", "reconcile", "--no-work", "--by", "Ben Buyer") == []
        for name in ("Bea Buyer", "Bea Buyer", "Ada Lovelace"):
            (found,) = touchstone("purchase", "reconcile", "--no-work", "--by", name)
            assert found["id"] == str(purchase_id)
        with database.reading() as session:
            jobs = session.scalars(select(Job).where(Job.kind == "reconcile")).all()
            assert [job.payload["by"] for job in jobs] == ["Bea Buyer"]
    finally:
        database.close()


def test_messages_and_what_is_late(purchase_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    bea = ("--by", "Bea Buyer")
    add = ("purchase", "message", purchase_id)
    touchstone(*add, "from_seller", "sent", *bea, "--at", "2026-01-02T10:00+01:00")
    with pytest.raises(TouchstoneError, match="--not-inducing"):
        touchstone(*add, "to_seller", "when?", *bea)
    touchstone(*add, "to_seller", "when?", *bea, "--not-inducing")
    for option, value in (("--at", "yesterday"), ("--expected", "31.12.")):
        with pytest.raises(TouchstoneError, match=option):
            touchstone(*add, "delivery", "in customs", *bea, option, value)
    shown = touchstone("purchase", "show", purchase_id)
    assert [one["direction"] for one in shown["messages"]] == ["from_seller", "to_seller"]

    assert touchstone("purchase", "list", "--overdue") == []
    assert "No test purchase" in text("purchase", "list", "--overdue")
    monkeypatch.setattr("console.cli.purchases.utcnow", lambda: utcnow() + timedelta(days=3))
    (late,) = touchstone("purchase", "list", "--overdue")
    assert (late["id"], late["overdue"]) == (str(purchase_id), True)
    touchstone("purchase", "deadline", "outcome_unclear", 9, "--by", "Ada Lovelace")
    assert touchstone("purchase", "list", "--overdue") == []
    (row,) = touchstone("purchase", "list")
    assert row["due_at"] is not None
