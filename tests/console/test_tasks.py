"""A buyer and an examiner at their phones, in a real browser; and what they cannot reach."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import select

from console.web.app import create_app
from crawler.browsing.browser import find_chromium
from evidence.custody.cases import store_file
from purchases import examining, files, manual, people
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Assessment, Picture, Product, Purchase, Reference
from registry.settings import Settings
from tests.console.conftest import Console, serve
from tests.purchases import staff
from tests.purchases.conftest import flagged

#: Where to leave pictures of the pages, for whoever wants to look at them.
SHOTS = os.environ.get("TOUCHSTONE_TEST_SHOTS")


@pytest.fixture
def purchase_id(database: Database, settings: Settings, blobs: Blobs) -> UUID:
    assessment_id = flagged(database)
    give_product(database, blobs, assessment_id)
    made = staff.approved_and_assigned(database, settings, assessment_id, by_hand=True)
    with database.writing() as session:
        examining.add_feature(session, "velaro", "genuine", "8 stitches an inch", by="Ann Admin")
        examining.add_feature(session, "velaro", "tell", "a glued seam", by="Ann Admin")
    return made


def give_product(database: Database, blobs: Blobs, assessment_id: UUID) -> str:
    """Say of which product a listing is, with one registered picture; its SHA-256."""
    encoded = io.BytesIO()
    Image.new("RGB", (300, 300), "purple").save(encoded, "PNG")
    sha256 = hashlib.sha256(encoded.getvalue()).hexdigest()
    with database.writing() as session:
        assessment = session.get_one(Assessment, assessment_id)
        key = blobs.put_bytes(encoded.getvalue(), ".png")
        picture = Picture(sha256=sha256, blob=key, media_type="image/png", fingerprint={})
        product = Product(brand_id=assessment.brand_id, sku="V-1", name="Aria Tote")
        session.add_all([picture, product])
        session.flush()
        session.add(Reference(product_id=product.id, sha256=sha256, position=0))
        assessment.product_id = product.id
    return sha256


@pytest.fixture
def console(
    settings: Settings, database: Database, blobs: Blobs, purchase_id: UUID
) -> Iterator[Console]:
    with serve(create_app(settings, database, blobs)) as served:
        yield served


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(find_chromium(None)))
        yield launched
        launched.close()


def code_of(database: Database, name: str) -> str:
    with database.writing() as session:
        return people.new_code(session, name)


def phone(browser: Browser, console: Console, database: Database, name: str) -> Page:
    page = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ).new_page()
    page.goto(f"{console.url}/tasks")
    page.get_by_label("Your code").fill(code_of(database, name))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your tasks")).to_be_visible()
    return page


def shot(page: Page, name: str) -> None:
    page.wait_for_load_state("load")  # its style sheet too, without which it is wider
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def picture(folder: Path, colour: str) -> Path:
    path = folder / f"{colour}.jpg"
    Image.new("RGB", (400, 300), colour).save(path)
    return path


def upload(page: Page, kind: str, path: Path) -> None:
    if page.get_by_label("What it shows").count():
        page.get_by_label("What it shows").select_option(kind)
    page.get_by_label("Photograph, video or paper").set_input_files(path)
    before = page.locator(".files li").count()
    page.get_by_role("button", name="Send it").click()
    expect(page.locator(".files li")).to_have_count(before + 1)
    expect(page.locator(".files .chip").last).to_have_text("hashed before it was sent")


def form_of(page: Page, name: str) -> Locator:
    """The form that enters a state."""
    return page.locator(f'form:has(input[name="to"][value="{name.replace(" ", "_")}"])')


def enter(page: Page, name: str, **fields: str) -> None:
    form = form_of(page, name)
    if not form.is_visible():
        form.locator("xpath=..").locator("summary").click()
    for label, value in fields.items():
        field = form.locator(f'[name="{label}"], [name="detail.{label}"]')
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    form.get_by_role("button").click()
    expect(page.locator(".chip").first).to_have_text(name)


@pytest.mark.timeout(300)
def test_bought_received_and_examined_on_phones(
    browser: Browser,
    console: Console,
    database: Database,
    purchase_id: UUID,
    tmp_path: Path,
) -> None:
    page = phone(browser, console, database, "Bea Buyer")
    shot(page, "tasks")
    page.get_by_role("link", name="Tote").click()
    expect(page.locator(".persona")).to_contain_text("1 Example Street")
    shot(page, "assigned")
    enter(page, "ordering")
    form = form_of(page, "ordered")
    if not form.is_visible():
        page.get_by_text("It is ordered", exact=True).click()
    form.locator('[name="order_number"]').fill("B-17")
    form.locator('[name="total"]').fill("49.99 EUR")
    form.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("file of: order")
    shot(page, "refused")
    upload(page, "order", picture(tmp_path, "red"))
    enter(page, "ordered", order_number="B-17", total="49.99 EUR")
    enter(page, "paid", paid="49.99 EUR")
    enter(page, "shipped", carrier="DHL", tracking="JD01")
    expect(page.locator(".persona")).to_be_visible()
    upload(page, "parcel", picture(tmp_path, "green"))
    shot(page, "shipped")
    enter(
        page, "received sealed", carrier="DHL", tracking="JD01", place="Bonn", weight="410 g",
        sender_address="9 Sender Street", postmark="Yiwu", seal="S-1",
    )  # fmt: skip
    expect(page.locator(".persona")).to_have_count(0)  # its time is over
    upload(page, "opening", picture(tmp_path, "blue"))
    enter(page, "opened", place="Bonn", seal_intact="yes", contents="one tote")
    upload(page, "item", picture(tmp_path, "white"))
    shot(page, "opened")
    enter(page, "sent to examiner", examiner="Eve Examiner", method="courier", place="B", seal="2")

    page = phone(browser, console, database, "Eve Examiner")
    page.get_by_role("link", name="Velaro").click()
    for hidden in ("score", "suspicion", "random", "0.9", "Seller", "EUR"):
        assert hidden not in page.locator("main").inner_text()
    assert page.locator(".files li").count() == 2  # how it was opened, and the item
    # The item beside the genuine one: all three pictures are there.
    expect(page.locator(".beside img")).to_have_count(3)
    for one in page.locator(".beside img").all():
        one.scroll_into_view_if_needed()  # they load when they are wanted
        page.wait_for_function("e => e.complete && e.naturalWidth > 0", arg=one.element_handle())
    page.get_by_label("Where you got it").fill("Lab 2")
    shot(page, "handover")
    page.get_by_role("button", name="I have it in hand").click()
    page.get_by_label("Method").fill("microscope")
    for feature in page.locator(".feature").all():
        feature.get_by_label("yes").check()
    page.get_by_label("It is").select_option("counterfeit")
    page.get_by_label("Reasons").fill("the seam is glued")
    shot(page, "form")
    page.get_by_role("button", name="Hand in").click()
    page.get_by_label("It is").select_option("counterfeit")
    page.get_by_label("Grounds").fill("a glued seam")
    shot(page, "verdict")
    page.get_by_role("button", name="Give the verdict").click()
    expect(page.locator(".chip").nth(1)).to_have_text("counterfeit")
    shot(page, "done")
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.state, purchase.outcome) == ("verdict", "counterfeit")


def client(console: Console, database: Database, name: str | None) -> httpx.Client:
    own = httpx.Client(base_url=console.url, headers={"Origin": console.url}, timeout=60)
    if name is not None:
        own.cookies.set("touchstone_code", code_of(database, name))
    return own


def test_nobody_else_sees_a_task(
    console: Console, database: Database, blobs: Blobs, purchase_id: UUID, tmp_path: Path
) -> None:
    stored = store_file(blobs, picture(tmp_path, "red"))
    with database.writing() as session:
        kept = files.add(session, blobs, purchase_id, stored, by="Bea Buyer", kind="order")
        exhibit = kept.exhibit_id
    page, file = f"/tasks/{purchase_id}", f"/tasks/{purchase_id}/files/{exhibit}"
    with client(console, database, "Bea Buyer") as bea:
        assert "1 Example Street" in bea.get(page).text
        assert bea.get(file).headers["content-type"] == "image/jpeg"
        # And of the house nothing else.
        for path in (
            "/purchases",
            "/money",
            "/cases",
            "/api/v1/purchases",
            "/pictures/" + "0" * 64,
        ):
            assert bea.get(path).status_code == 403, path
        assert bea.get("/").headers["location"] == "/tasks"
    for name in ("Eve Examiner", "Ada Lovelace", "Finn Finance"):
        with client(console, database, name) as other:
            for path in (page, file):
                assert other.get(path).status_code == 404
            for what, fields in (
                ("tell", {"to": "ordering"}), ("confirm", {"place": "x"}), ("examine", {}),
                ("verdict", {"outcome": "genuine", "grounds": "x"}),
            ):  # fmt: skip
                assert other.post(f"{page}/{what}", data=fields).status_code == 404
    with client(console, database, None) as nobody:
        assert nobody.get(page).headers["location"] == "/signin"
        assert nobody.post(f"{page}/tell", data={"to": "ordering"}).status_code == 401
        assert nobody.post("/signin", data={"code": "guess"}).status_code == 403
    # A new code makes the old one void.
    with client(console, database, "Bea Buyer") as bea:
        code_of(database, "Bea Buyer")
        assert bea.get(page).status_code == 303
    with database.reading() as session:
        assert session.scalars(select(Purchase.state)).one() == "assigned"


def test_every_page_asks_for_a_code_where_that_is_set(
    settings: Settings, database: Database, blobs: Blobs, purchase_id: UUID
) -> None:
    asking = settings.model_copy(update={"sign_in": True})
    with serve(create_app(asking, database, blobs)) as console:
        with client(console, database, None) as nobody:
            for path in ("/", "/purchases", "/money", "/ledger"):
                assert nobody.get(path).headers["location"] == "/signin"
            assert nobody.get("/api/v1/purchases").status_code == 401
            assert nobody.get("/healthz").status_code == 200
        with client(console, database, "Ada Lovelace") as ada:
            assert ada.get("/purchases").status_code == 200
            assert ada.get("/money").status_code == 200
            # What she signs is hers, whatever the form says.
            done = ada.post(f"/purchases/{purchase_id}/reject", data={"by": "Grace", "note": "no"})
            assert done.status_code == 303
    with database.reading() as session:
        events = session.get_one(Purchase, purchase_id).events
        assert (events[-1].actor, events[-1].state) == ("Ada Lovelace", "rejected")


def test_a_persona_is_in_no_error_page(
    console: Console, database: Database, purchase_id: UUID
) -> None:
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
    with client(console, database, None) as operator:
        pages = [
            operator.get("/purchases").text,
            operator.get("/api/v1/purchases").text,
            operator.get("/money").text,
            operator.post(f"/purchases/{purchase_id}/approve", data={"by": "Ada Lovelace"}).text,
            operator.get("/tasks/nothing").text,
        ]
    for text in pages:
        assert not re.search("1 Example Street|EC1A 1BB|buyer@example", text)
