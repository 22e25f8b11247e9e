"""The console in a real browser: nothing is refused by its own policy, nothing overflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import update

from crawler.browsing.browser import find_chromium
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job
from tests.console.conftest import Console
from tests.console.seed import Seeded
from tests.console.seed_custody import CASE, seed_custody

# What a browser sees does not depend on the kind of database; the other tests ask both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Window:
    """A page of a browser, and whatever it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))


@pytest.fixture
def window() -> Iterator[Window]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium(None)), args=FLAGS)
        yield Window(browser.new_page())
        browser.close()


def test_every_page_at_desk_and_phone_width(
    window: Window,
    console: Console,
    seeded: Seeded,
    database: Database,
    blobs: Blobs,
    tmp_path: Path,
) -> None:
    seed_custody(database, blobs, seeded, tmp_path)
    paths = [
        "/",
        f"/listings/{seeded.changed_listing}",
        f"/listings/{seeded.hostile_listing}",
        "/captures",
        f"/captures/{seeded.captures[0]}",
        f"/captures/{seeded.captures[5]}",
        "/cases",
        f"/cases/{CASE}",
        "/purchases",
        "/money",
        "/signin",
        "/ledger",
        "/jobs",
        "/runs",
        "/alarms",
        "/brands",
    ]
    page = window.page
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for number, path in enumerate(paths):
            page.goto(console.url + path)
            expect(page.locator("main")).to_be_visible()
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} wide at {width}"
            broken = page.evaluate(
                "Promise.all([...document.images].map(i => (i.loading = 'eager', i.decode()"
                ".then(() => null, () => i.src)))).then(all => all.filter(Boolean))"
            )
            assert broken == [], path
            shot = tmp_path / f"{width}-{number}.png"
            page.screenshot(path=shot, full_page=True)
            assert shot.stat().st_size > 10_000
    assert window.complaints == []


def test_filters_and_more_without_loading_the_page_anew(
    window: Window, console: Console, seeded: Seeded
) -> None:
    page = window.page
    page.goto(console.url)
    page.evaluate("window.sameDocument = true")
    cards = page.locator("article.flagged")
    expect(cards).to_have_count(20)
    page.get_by_text("Show more").click()
    expect(cards).to_have_count(seeded.flagged)
    expect(page.get_by_text("Show more")).to_have_count(0)
    page.get_by_label("Brand").select_option("kestrix")
    expect(cards).to_have_count(1)
    assert "brand=kestrix" in page.url
    assert page.evaluate("window.sameDocument") is True
    page.reload()
    expect(cards).to_have_count(1)
    assert window.complaints == []


def test_jobs_refresh_by_themselves_and_requeue(
    window: Window, console: Console, seeded: Seeded, database: Database
) -> None:
    page = window.page
    page.goto(f"{console.url}/jobs")
    row = page.locator(f"#job-{seeded.jobs['running']}")
    expect(row).to_contain_text("running")
    with database.writing() as session:
        session.execute(update(Job).where(Job.id == seeded.jobs["running"]).values(state="done"))
    expect(row).to_contain_text("done", timeout=15_000)
    dead = page.locator(f"#job-{seeded.jobs['dead']}")
    dead.get_by_role("button", name="Requeue").click()
    expect(dead).to_contain_text("queued")
    assert window.complaints == []


def test_verify_now_and_approve_as_a_person_does(
    window: Window, console: Console, seeded: Seeded
) -> None:
    page = window.page
    page.goto(f"{console.url}/captures/{seeded.captures[0]}")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#report")).to_contain_text("Intact", timeout=30_000)
    assert page.evaluate("window.sameDocument") is True
    page.goto(f"{console.url}/purchases?state=proposed")
    page.get_by_label("Your name").first.fill("Grace Hopper")
    page.get_by_role("button", name="Approve").click()
    bought = page.locator(f"#purchase-{seeded.purchases['proposed']}")
    expect(bought.locator(".chip").first).to_have_text("approved")
    expect(bought).to_contain_text("by Grace Hopper")
    assert window.complaints == []


def test_the_policy_forbids_what_the_pages_never_do(
    window: Window, console: Console, seeded: Seeded
) -> None:
    page = window.page
    page.goto(console.url)
    assert page.evaluate("htmx.version") == "4.0.1"
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.ran=1>')"
    )
    page.evaluate(
        "document.body.appendChild(document.createElement('script')).text = 'window.ran=1'"
    )
    # htmx would run such a handler through Function, which is eval to the policy. Clicked
    # by the mouse, since what the debugger itself calls is exempt.
    page.evaluate(
        "(button => { button.textContent = 'Run'; document.querySelector('main').prepend(button);"
        "button.setAttribute('hx-on:click', 'window.ran = 1'); htmx.process(button); })"
        "(document.createElement('button'))"
    )
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("main")).to_be_visible()
    assert page.evaluate("window.ran") is None
    refused = [said for said in window.complaints if "Content Security Policy" in said]
    assert any("inline event handler" in said for said in refused)
    assert any("inline script" in said for said in refused)
    assert any("eval" in said for said in refused)


def test_a_console_that_stopped_answering_says_so(
    window: Window, console: Console, seeded: Seeded
) -> None:
    page = window.page
    page.goto(f"{console.url}/runs")
    page.route("**/runs", lambda route: route.abort())
    expect(page.locator("#trouble")).to_contain_text("does not answer", timeout=15_000)
    page.unroute("**/runs")
    expect(page.locator("#trouble")).to_be_hidden(timeout=15_000)
