"""A crawl meets a login wall, a person opens it in the console, and the crawl goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from crawler.browsing import seats
from crawler.browsing.browser import find_chromium
from crawler.browsing.sessions import find_login
from crawler.crawling.watch import Progress, watch
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    Listing,
    Marketplace,
    Plan,
    StoredSession,
    Takeover,
)
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.console.conftest import Console
from tests.console.login_shop import PASSWORD, login_shop
from tests.console.test_browser import FLAGS

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PHONE = ViewportSize(width=390, height=800)


@pytest.fixture
def operator() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium(None)), args=FLAGS)
        yield browser.new_page(viewport=PHONE, has_touch=True)
        browser.close()


def planned(session: Session, url: str) -> UUID:
    plan = Plan(
        name="behind-a-login",
        brand=Brand(slug="velaro", name="Velaro", owner="V"),
        marketplaces=[Marketplace(name="closed", kind="bazaar", url=url)],
        queries=[],
        browse=["/c/bags"],
        threshold=0.6,
        max_pages=100,
        persona="mina",
    )
    session.add(plan)
    session.flush()
    return plan.id


def tap(page: Page, x: float, y: float) -> None:
    """Touch a place of the live browser, given in its own pixels."""
    screen = page.locator("#screen")
    screen.scroll_into_view_if_needed()
    box = screen.bounding_box()
    assert box is not None
    wide = page.evaluate("document.getElementById('screen').width")
    page.touchscreen.tap(box["x"] + x * box["width"] / wide, box["y"] + y * box["width"] / wide)


def until(page: Page, said: str) -> None:
    """Wait for something to hold in a page; its policy allows no functions made of text."""
    for _ in range(150):
        if page.evaluate(said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(said)


def picture_after(page: Page, number: int) -> int:
    """Wait for a picture that is newer than one: its number."""
    until(page, f"Number(document.getElementById('screen').dataset.number) > {number}")
    seen: int = page.evaluate("Number(document.getElementById('screen').dataset.number)")
    return seen


def test_a_person_logs_in_and_the_crawl_has_the_rest(
    operator: Page, console: Console, settings: Settings, database: Database, tmp_path: Path
) -> None:
    told: list[Progress] = []
    with login_shop() as (url, asked):
        with database.writing() as session:
            plan_id = planned(session, url)
        crawl = threading.Thread(
            target=lambda: told.extend(watch(settings, database, plan_id)), daemon=True
        )
        crawl.start()

        operator.goto(f"{console.url}/takeovers")
        operator.get_by_role("link", name="Open").click(timeout=60_000)
        expect(operator.locator(".todo")).to_contain_text("Persona mina")
        assert (
            console.http.get(f"{operator.url.removeprefix(console.url)}/picture").status_code == 410
        )
        operator.get_by_label("Your name").fill("Grace Hopper")
        operator.get_by_role("button", name="Take over").click()

        expect(operator.locator("#screen")).to_be_visible()

        # What needs no login was not held up by this.
        seen = picture_after(operator, 0)
        until(operator, "document.getElementById('screen').width < 500")
        with database.reading() as session:
            assert len(session.scalars(select(Listing)).all()) == 3
        operator.screenshot(path=tmp_path / "phone.png", full_page=True)
        typing = operator.get_by_label("Type here")
        tap(operator, 100, 145)
        typing.press_sequentially("minax")
        typing.press("Backspace")
        typing.press("Tab")
        typing.press_sequentially(PASSWORD)
        picture_after(operator, seen)
        typing.press("Enter")
        expect(operator.locator("#where")).to_contain_text("/item/6/x", timeout=20_000)
        operator.set_viewport_size({"width": 1280, "height": 900})
        operator.screenshot(path=tmp_path / "desk.png", full_page=True)
        operator.get_by_role("button", name="Give back").click()
        expect(operator.locator(".past")).to_contain_text("Grace Hopper")

        crawl.join(timeout=120)
        assert told[-1].listings == 6
        assert {f"/item/{n}/x known" for n in (4, 5, 6)} <= set(asked)
        assert asked["POST /login"] == 1
    with database.reading() as session:
        (row,) = session.scalars(select(Takeover)).all()
        assert (row.kind, row.state, row.taken_by) == ("crawl", "given_back", "Grace Hopper")
        assert row.ended_at is not None
        (stored,) = session.scalars(select(StoredSession)).all()
        assert stored.state == "ok"
        assert b"member" not in (stored.sealed or b"")
    with database.writing() as session:
        kept = find_login(session, open_vault(settings), stored.marketplace_id, "mina")
    assert [cookie["value"] for cookie in kept.cookies] == ["member"]
    # Nothing secret stands anywhere in the open.
    for file in settings.data_dir.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes()

    # The next run of the plan needs nobody.
    with login_shop() as (url, asked):
        with database.writing() as session:
            session.execute(update(Marketplace).values(url=url))
        assert [*watch(settings, database, plan_id)][-1].listings == 6
        assert asked["POST /login"] == 0


def test_given_up_the_crawl_ends_without_those_pages(
    settings: Settings, database: Database
) -> None:
    with login_shop() as (url, asked):
        with database.writing() as session:
            plan_id = planned(session, url)
        told = []
        for progress in watch(settings, database, plan_id):
            told.append(progress)
            with database.writing() as session:
                row = session.scalar(select(Takeover).where(Takeover.state == "open"))
                if row is not None:
                    seat = seats.take(session, row.id, "Ada")
                    seats.give_back(session, row.id, seat, done=False, note="no password here")
        assert told[-1].listings == 3
        assert not [path for path in asked if path.endswith(" known")]
    with database.reading() as session:
        (row,) = session.scalars(select(Takeover)).all()
        assert (row.state, row.note) == ("abandoned", "no password here")
        (stored,) = session.scalars(select(StoredSession)).all()
        assert (stored.state, stored.sealed) == ("needs_login", None)


def offered(session: Session, settings: Settings, **values: object) -> Takeover:
    row = Takeover(
        **{
            "id": uuid7(), "kind": "session", "subject": uuid7(), "why": "log in",
            "address": "127.0.0.1:9", "certificate": "00" * 32, "token": b"", **values,
        }
    )  # fmt: skip
    row.token = open_vault(settings).seal(b"t", context=f"takeover:{row.id}")
    session.add(row)
    session.flush()
    return row


def test_only_who_has_taken_it_sees_and_types(
    console: Console, settings: Settings, database: Database
) -> None:
    with database.writing() as session:
        row = offered(session, settings)
        gone = offered(session, settings, alive_at=utcnow() - timedelta(minutes=5))
    here = f"/takeovers/{row.id}"
    assert "Take over" in console.page(here)
    assert "is gone" in console.page(f"/takeovers/{gone.id}")
    console.page(f"/takeovers/{uuid7()}", 404)
    assert console.http.get(f"{here}/picture").status_code == 410
    assert console.http.post(f"{here}/take", data={"by": " "}).status_code == 409
    # Posts of other origins change nothing.
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path, data in (("take", {"by": "Eve"}), ("give-back", {"done": "true"})):
        assert console.http.post(f"{here}/{path}", data=data, headers=foreign).status_code == 403
    answer = console.http.post(f"{here}/hands", json=[], headers=foreign)
    assert answer.status_code == 403

    taken = console.http.post(f"{here}/take", data={"by": "Ada"})
    assert taken.status_code == 303
    cookie = taken.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Give back" in console.page(here)
    assert console.http.get(f"{here}/picture").status_code == 502, "nobody listens there"
    console.http.cookies.clear()
    assert "Take it from them" in console.page(here)
    assert console.http.get(f"{here}/picture").status_code == 410
    assert console.http.post(f"{here}/give-back", data={"done": "true"}).status_code == 409

    assert console.http.post(f"{here}/take", data={"by": "Bob"}).status_code == 303
    with database.reading() as session:
        kept = session.get_one(Takeover, row.id)
        assert kept.taken_by == "Bob"
        assert "taken from Ada" in (kept.note or "")
    assert console.http.post(f"{here}/give-back", data={"done": "false"}).status_code == 303
    assert "Bob" in console.page("/takeovers")
    with database.writing() as session, pytest.raises(TouchstoneError, match="given back"):
        seats.take(session, row.id, "Ada")


def test_the_token_in_the_row_opens_nothing_elsewhere(
    settings: Settings, database: Database
) -> None:
    with database.writing() as session:
        row, other = offered(session, settings), offered(session, settings)
        secret = seats.take(session, row.id, "Ada")
        row.token = other.token
        session.flush()
        with pytest.raises(TouchstoneError, match="sealed for something else"):
            seats.window(session, open_vault(settings), row.id, secret)
    assert json.dumps(secret)
