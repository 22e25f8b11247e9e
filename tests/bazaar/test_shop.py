"""The bazaar as a shop: pages, search, checkout, faults, and no word of the truth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazaar.app import World
from bazaar.faults import NAMES, giant_png, parse_rates
from bazaar.world import SHARES
from tests.servers import Bazaar, bazaar

ADDRESS = {
    "name": "Test Buyer", "email": "b@example.com", "line1": "1 Street", "city": "London",
    "postcode": "E1", "country": "GB",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("world"), seed=12, listings=50) as running:
        yield running


@pytest.fixture
def visitor(shop: Bazaar) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, follow_redirects=True) as client:
        yield client


def links(client: httpx.Client, path: str) -> list[str]:
    """All listings of a list, through its pages."""
    found: list[str] = []
    next_page: str | None = path
    while next_page:
        page = client.get(next_page)
        assert page.status_code == 200
        found += re.findall(r'href="(/item/[^"]+)"', page.text)
        more = re.search(r'<a[^>]+rel="?next"?[^>]*>', page.text)
        href = re.search(r'href="([^"]+)"', more.group()) if more else None
        next_page = urljoin(str(page.url), href.group(1)) if href else None
    return found


def test_the_categories_hold_every_listing_once(shop: Bazaar, visitor: httpx.Client) -> None:
    found = [
        link
        for name in ("bags", "shoes", "watches", "audio", "power", "home")
        for link in links(visitor, f"/c/{name}")
    ]
    assert sorted(link.split("/")[2] for link in found) == sorted(shop.truth())


def test_no_page_shows_the_truth(shop: Bazaar, visitor: httpx.Client) -> None:
    for number in shop.truth():
        page = visitor.get(f"/item/{number}/x").text
        for word in (*SHARES, "is_fake", "truth"):
            assert word not in page
    for path in ("truth.json", "world.json", "images/../truth.json", "static/../../truth.json"):
        assert visitor.get(path).status_code == 404


def test_some_pages_have_structured_data_and_some_have_none(
    shop: Bazaar, visitor: httpx.Client
) -> None:
    kinds = {"ld+json" in visitor.get(f"/item/{number}/x").text for number in shop.truth()}
    assert kinds == {True, False}


def test_search_renders_by_javascript_in_batches(visitor: httpx.Client) -> None:
    assert "/item/" not in visitor.get("/search", params={"q": "a"}).text
    found: list[str] = []
    while True:
        answer = visitor.get("/api/search", params={"q": "a", "offset": len(found)}).json()
        found += [row["url"] for row in answer["rows"]]
        if answer["end"]:
            break
    assert len(found) == len(set(found)) == answer["total"] > 12


@pytest.mark.parametrize(
    "query", ["", "%", "'; DROP TABLE orders", "<script>", "\u0000", "x" * 9000]
)
def test_any_query_is_answered(visitor: httpx.Client, query: str) -> None:
    page = visitor.get("/search", params={"q": query})
    assert page.status_code == 200
    assert "<script>'" not in page.text
    assert visitor.get("/api/search", params={"q": query, "offset": "-1e9"}).status_code == 200


def to_review(visitor: httpx.Client, number: str) -> httpx.Response:
    """Go through the checkout of a listing, up to its last page."""
    token = csrf(visitor.get(f"/item/{number}/x").text)
    visitor.post("/cart/add", data={"listing": number, "csrf": token})
    for step, data in (
        ("address", ADDRESS),
        ("shipping", {"shipping": "standard"}),
        ("payment", {"payment": "invoice"}),
    ):
        token = csrf(visitor.get(f"/checkout/{step}").text)
        page = visitor.post(f"/checkout/{step}", data={**data, "csrf": token})
        assert page.status_code == 200
    return page


def test_a_checkout_of_four_steps_is_one_order(shop: Bazaar, visitor: httpx.Client) -> None:
    number = next(iter(shop.truth()))
    before = len(shop.orders())
    page = to_review(visitor, number)
    assert str(page.url).endswith("/checkout/review")
    assert len(shop.orders()) == before
    done = visitor.post("/checkout/place", data={"csrf": csrf(page.text)})
    placed = shop.orders()
    assert len(placed) == before + 1
    assert placed[-1][1] == number
    assert placed[-1][0] in done.text


def test_an_order_without_its_steps_or_its_token_is_refused(
    shop: Bazaar, visitor: httpx.Client
) -> None:
    before = len(shop.orders())
    assert visitor.post("/checkout/place").status_code == 400
    number = next(iter(shop.truth()))
    token = csrf(visitor.get(f"/item/{number}/x").text)
    visitor.post("/cart/add", data={"listing": number, "csrf": token})
    assert visitor.post("/checkout/place", data={"csrf": token}).status_code == 400
    assert visitor.post("/checkout/place", data={"csrf": "x"}).status_code == 400
    assert len(shop.orders()) == before


def csrf(html: str) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', html)
    assert match is not None
    return match.group(1)


def test_search_looks_through_accents_but_not_through_disguises(shop: Bazaar) -> None:
    world = World.load(shop.folder)
    disguised = {k for k, v in shop.truth().items() if v["kind"] == "disguised_fake"}
    found = {row["id"] for row in world.search("velaro")} | {
        row["id"] for row in world.search("kestrix")
    }
    assert disguised - found, "a plain search must miss some of them"
    raw = json.loads((shop.folder / "world.json").read_text(encoding="utf-8"))
    assert {row["id"] for row in world.search("")} == {row["id"] for row in raw["listings"]}


@pytest.mark.parametrize("fault", NAMES)
def test_faults_come_when_they_are_asked_for(shop: Bazaar, fault: str) -> None:
    number = next(iter(shop.truth()))
    image = next(iter((shop.folder / "images").iterdir())).name
    path = f"/images/{image}" if fault.endswith("image") else f"/item/{number}/x"
    with httpx.Client(base_url=shop.url, timeout=20) as client:
        honest = client.get(path)
        answer = client.get(path, params={"fault": fault})
        if fault == "redirect_loop":
            again = client.get(answer.headers["location"])
            assert (answer.status_code, again.status_code) == (302, 302)
        elif fault.startswith("status_"):
            assert answer.status_code == int(fault[-3:])
            # Some servers say how long to wait, and some do not.
            assert ("retry-after" in answer.headers) is (fault == "status_429")
        elif fault == "slow":
            assert answer.content == honest.content or answer.status_code == 200
        else:
            assert answer.content != honest.content


def test_the_giant_picture_is_small_to_send() -> None:
    assert len(giant_png()) < 1 << 20


@given(st.text(max_size=40))
def test_rates_are_read_or_refused(text: str) -> None:
    try:
        rates = parse_rates(text)
    except ValueError:
        return
    assert all(name in NAMES and 0 <= rate <= 1 for name, rate in rates.items())


def sign_in(visitor: httpx.Client, email: str, password: str, *, new: bool) -> httpx.Response:
    token = csrf(visitor.get("/account/sign-in").text)
    form = {"csrf": token, "email": email, "password": password, "new": "yes" if new else ""}
    return visitor.post("/account/sign-in", data=form)


def test_an_account_lists_its_own_orders(shop: Bazaar, visitor: httpx.Client) -> None:
    assert visitor.get("/account/orders").url.path == "/account/sign-in"
    assert sign_in(visitor, "a@example.com", "one", new=False).status_code == 403
    assert "not ordered anything" in sign_in(visitor, "a@example.com", "one", new=True).text
    # Who opens it again has to know its password.
    assert sign_in(visitor, "A@example.com", "two", new=True).status_code == 403
    assert sign_in(visitor, "A@example.com", "one", new=False).status_code == 200
    page = to_review(visitor, next(iter(shop.truth())))
    for _ in range(11):
        visitor.post("/checkout/place", data={"csrf": csrf(page.text)})
    numbers = [number for number, _ in shop.orders()[-11:]]
    shown = [
        re.findall(r'class="number">([^<]+)<', visitor.get(f"/account/orders?page={page}").text)
        for page in (1, 2)
    ]
    assert shown == [numbers[:0:-1], numbers[:1]]
    with httpx.Client(base_url=shop.url, follow_redirects=True) as guest:
        assert guest.get("/account/orders").url.path == "/account/sign-in"
        token = csrf(guest.get("/orders/find").text)
        for email, status in ((ADDRESS["email"], 200), ("a@example.com", 404)):
            form = {"csrf": token, "email": email, "number": numbers[0]}
            assert guest.post("/orders/find", data=form).status_code == status
