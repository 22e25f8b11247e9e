"""After an order, in the console: messages, e-mails, looks, and what is unclear or late."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from sqlalchemy import select

from console.web.app import create_app
from crawler.browsing.browser import find_chromium
from purchases import deadlines, mail, manual, people, proposals
from purchases.deadlines import DAYS
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job, Purchase, PurchaseLetter, PurchaseLook
from registry.settings import Settings
from tests.console.conftest import Console, serve
from tests.purchases import staff
from tests.purchases.conftest import flagged

#: Where to leave pictures of the pages, for whoever wants to look at them.
SHOTS = os.environ.get("TOUCHSTONE_TEST_SHOTS")

LETTER = (
    b"From: Bazaar <orders@bazaar.example>\r\nTo: buyer@example.com\r\n"
    b"Subject: Your order B-00000017 is on its way\r\nMessage-ID: <1@bazaar.example>\r\n"
    b"Authentication-Results: mx.example; spf=pass <script>\r\n\r\n"
    b"Order number: B-00000017\r\nTracking number: JD0146\r\nCarrier: DHL\r\n"
    b"<script>alert(1)</script> for Test Buyer, 1 Example Street\r\n"
)


@pytest.fixture
def purchase_id(database: Database, settings: Settings) -> UUID:
    made = staff.approved_and_assigned(database, settings, flagged(database), by_hand=True)
    with database.writing() as session:
        manual.begin(session, made, "Bea Buyer")
        manual.tell(session, made, "Bea Buyer", "outcome_unclear", note="the phone died")
    return made


@pytest.fixture
def console(
    settings: Settings, database: Database, blobs: Blobs, purchase_id: UUID
) -> Iterator[Console]:
    with serve(create_app(settings, database, blobs)) as served:
        yield served


def signed_in(console: Console, database: Database, name: str) -> httpx.Client:
    client = httpx.Client(
        base_url=console.url, headers={"Origin": console.url}, timeout=60, follow_redirects=True
    )
    with database.writing() as session:
        client.cookies.set("touchstone_code", people.new_code(session, name))
    return client


def test_the_buyer_enters_what_seller_and_carrier_say(
    console: Console, database: Database, purchase_id: UUID
) -> None:
    with signed_in(console, database, "Bea Buyer") as bea:
        page = f"/tasks/{purchase_id}/messages"
        told = bea.post(
            page,
            data={"direction": "delivery", "text": "in <b>customs</b>", "expected": "2030-01-31"},
        )
        assert told.status_code == 200
        assert "in &lt;b&gt;customs" in told.text
        assert "expected on 2030-01-31" in told.text
        for wrong in (
            {"direction": "to_seller", "text": "with a logo?"},
            {"direction": "delivery", "text": "x", "expected": "soon"},
        ):
            assert bea.post(page, data=wrong).status_code == 422
    with signed_in(console, database, "Eve Examiner") as eve:
        assert eve.post(page, data={"direction": "delivery", "text": "x"}).status_code == 404


def test_an_e_mail_is_text_for_its_buyer_alone(
    console: Console, database: Database, blobs: Blobs, purchase_id: UUID
) -> None:
    with database.reading() as session:
        market = session.get_one(Purchase, purchase_id).listing.marketplace
        read = mail.Read.of(LETTER, market)
    with mail.stored(blobs, LETTER) as file, database.writing() as session:
        key = mail.add(session, blobs, purchase_id, read, file, "Bea Buyer").id
    with database.reading() as session:
        assert "Example Street" not in str(session.get_one(PurchaseLetter, key).found)
    with signed_in(console, database, "Bea Buyer") as bea:
        assert "B-00000017" in bea.get(f"/tasks/{purchase_id}").text
        text = bea.get(f"/tasks/{purchase_id}/letters/{key}").text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; for Test Buyer" in text
        # Afterwards it is as with the persona, whose name and address stand in it.
        with database.writing() as session:
            proposals.settle(session, purchase_id, "Ada Lovelace", False, note="the list")
        assert f"/letters/{key}" not in bea.get(f"/tasks/{purchase_id}").text
        closed = bea.get(f"/tasks/{purchase_id}/letters/{key}")
        assert closed.status_code in (403, 404)
        assert "Example Street" not in closed.text
    with signed_in(console, database, "Ada Lovelace") as ada:
        text = ada.get(f"/purchases/{purchase_id}").text
        assert "receiving server, as the file says: spf=pass" in text
        assert "Example Street" not in text
        assert ada.get(f"/tasks/{purchase_id}/letters/{key}").status_code == 404


def test_what_is_unclear_or_late_is_listed_and_looked_into(
    console: Console, database: Database, purchase_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(console, database, "Ada Lovelace") as ada:
        assert "nobody has looked yet" in ada.get("/waiting").text
        monkeypatch.setattr(deadlines, "DAYS", {**DAYS, "outcome_unclear": -1})
        assert ">late<" in ada.get("/waiting").text
        assert "Late: it should have gone on by" in ada.get(f"/purchases/{purchase_id}").text
        with database.writing() as session:
            session.add(
                PurchaseLook(
                    purchase_id=purchase_id, by="touchstone", why="reconcile", orders=[],
                    letters=[], proposal="ordered", order_number="B-17", note="order B-17",
                )
            )  # fmt: skip
        assert "order B-17" in ada.get("/waiting").text
        assert ada.post(f"/purchases/{purchase_id}/look").status_code == 200
    with signed_in(console, database, "Bea Buyer") as bea:
        assert "late since" in bea.get("/tasks").text
        assert 'value="B-17"' in bea.get(f"/tasks/{purchase_id}").text
        assert bea.post(f"/tasks/{purchase_id}/look").status_code == 200
    with signed_in(console, database, "Finn Finance") as finn:
        assert finn.post(f"/purchases/{purchase_id}/look").status_code == 422
    with database.reading() as session:
        asked = [job.payload["by"] for job in session.scalars(select(Job).order_by(Job.id))]
        # Who presses while a look is still to come adds none.
        assert asked == ["Ada Lovelace"]


def test_a_buyer_at_a_phone_enters_how_the_parcel_fares(
    console: Console, database: Database, blobs: Blobs, purchase_id: UUID
) -> None:
    with database.reading() as session:
        market = session.get_one(Purchase, purchase_id).listing.marketplace
        read = mail.Read.of(LETTER, market)
    with mail.stored(blobs, LETTER) as file, database.writing() as session:
        mail.add(session, blobs, purchase_id, read, file, "Bea Buyer")
        code = people.new_code(session, "Bea Buyer")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium(None)))
        page = browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
        ).new_page()
        page.goto(f"{console.url}/tasks")
        page.get_by_label("Your code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Tote").click()
        page.get_by_label("What it says").fill("it is in customs, they ask for a paper")
        page.get_by_label("Parcel expected on").fill("2030-01-31")
        page.get_by_role("button", name="Enter it").click()
        expect(page.get_by_text("expected on 2030-01-31")).to_be_visible()
        page.get_by_role("button", name="Look into order list").click()
        page.wait_for_load_state("load")
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/after.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("link", name="shipping").click()
        expect(page.get_by_text("alert(1)")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    with database.reading() as session:
        assert session.scalars(select(Job.kind)).all() == ["reconcile"]
