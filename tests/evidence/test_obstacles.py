"""What lies over a page is closed, walls are called walls, and nothing that costs is clicked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.capturing.obstacles import Signs, recognise
from tests.evidence.rough_site import Rough, rough_site
from tests.evidence.visits import visit
from tests.servers import Bazaar, bazaar

URL = "https://shop.example/item/7"


@pytest.fixture(scope="module")
def rough() -> Iterator[Rough]:
    with rough_site() as site:
        yield site


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("shop") / "world", seed=3, listings=6) as shop:
        yield shop


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("banner-en", "reject all"),
        ("banner-de", "ablehnen"),
        ("banner-zh", "同意"),
        ("known", "no"),
        ("shadow", "decline"),
    ],
)
def test_banners_are_closed_and_noted(rough: Rough, tmp_path: Path, path: str, button: str) -> None:
    made = visit(f"{rough.url}/{path}", tmp_path / "visit")
    assert [click["button"] for click in made.about["closed"]] == [button]
    assert b"ookie" not in made.read("text/01-page.txt")
    assert made.capture.status == "complete"


def test_nothing_that_costs_is_clicked(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/traps", tmp_path / "visit")
    assert made.about["closed"] == []
    assert not {"/subscribed", "/bought", "/left", "/signed-in"} & set(rough.asked)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("login_wall", "login"), ("captcha", "captcha"), ("block_page", "blocked")],
)
def test_a_wall_of_the_bazaar(shop: Bazaar, tmp_path: Path, fault: str, status: str) -> None:
    listing = min(shop.truth())
    made = visit(f"{shop.url}item/{listing}/x?fault={fault}", tmp_path / "v", kind="bazaar")
    assert made.capture.status == status
    assert made.about["recognised_by"]
    assert "extra/listing.json" not in made.names, "a wall passes for the listing"


@pytest.mark.parametrize("fault", ["cookie_banner", "newsletter"])
def test_a_layer_of_the_bazaar(shop: Bazaar, tmp_path: Path, fault: str) -> None:
    listing = min(shop.truth())
    made = visit(f"{shop.url}item/{listing}/x?fault={fault}", tmp_path / "v", kind="bazaar")
    assert made.capture.status == "complete"
    assert len(made.about["closed"]) == 1
    assert b"extra/listing.json" not in made.read("text/01-listing.txt")


def test_another_listing_is_not_this_one(shop: Bazaar, tmp_path: Path) -> None:
    assert visit(f"{shop.url}item/1/x", tmp_path / "a", kind="bazaar").capture.status == "gone"


LONG = "Full-grain leather. " * 300


@pytest.mark.parametrize(
    ("signs", "http_status", "shows", "status"),
    [
        (Signs(title="Tote", text=LONG), 200, True, "complete"),
        (Signs(title="Tote", text="Tote € 39"), 200, True, "complete"),
        (Signs(title="Tote", text="Tote"), 200, None, "complete"),
        # A listing may hold a field for a password, a badge of a captcha, and speak of robots.
        (Signs(text=LONG + "Sign in", password=True), 200, True, "complete"),
        (Signs(text="Robot toy, are you a robot?", marks=("g-recaptcha",)), 200, True, "complete"),
        (Signs(text=LONG, frames=("https://www.google.com/recaptcha/api2/anchor",)), 200, None,
         "complete"),
        (Signs(heading="Access denied to boredom", text=LONG), 200, None, "complete"),
        (Signs(text="no longer available in red"), 200, True, "complete"),
        # Walls.
        (Signs(text="Sign in to continue", password=True), 200, False, "login"),
        (Signs(text="Sign in to continue", password=True), 200, None, "login"),
        (Signs(), 401, None, "login"),
        (Signs(title="Just a moment...", text="Checking your browser"), 503, False, "captcha"),
        (Signs(text="请完成安全验证"), 200, False, "captcha"),
        (Signs(text="Bitte bestätigen: kein Roboter"), 403, False, "captcha"),
        (Signs(frames=("https://geo.captcha-delivery.com/captcha/?a=1",)), 403, None, "captcha"),
        (Signs(marks=("cf-turnstile",), text="Verify"), 200, False, "captcha"),
        (Signs(title="Access to this page has been denied"), 200, False, "blocked"),
        (Signs(text="no"), 403, None, "blocked"),
        (Signs(text="no"), 451, None, "blocked"),
        (Signs(text=LONG), 404, True, "gone"),
        (Signs(text="This listing has been removed"), 200, False, "gone"),
        (Signs(text="商品已下架"), 200, False, "gone"),
    ],
)  # fmt: skip
def test_what_a_page_is(signs: Signs, http_status: int, shows: bool | None, status: str) -> None:
    seen = recognise(signs, http_status=http_status, url=URL, shows_listing=shows)
    assert seen.status == status, seen


def test_the_address_tells_a_login_page() -> None:
    signs = Signs(text="Your e-mail. Sign in")
    seen = recognise(signs, http_status=200, url="https://shop.example/login?to=7", elsewhere=True)
    assert seen.status == "login"
    seen = recognise(Signs(text=LONG), http_status=200, url="https://shop.example/", elsewhere=True)
    assert seen.status == "gone"
