"""The shop itself: an ASGI application over a world."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bazaar import accounts, troubles
from bazaar.accounts import Accounts
from bazaar.checkout import COOKIE, SHIPPING, Basket, Orders
from bazaar.faults import Faults, Plan
from bazaar.letters import Letters
from bazaar.sideshow import reviews, variants

PAGE = 20
THUMB_SIDE = 320
BATCH = 12
SIGNS = {"EUR": "€ {}", "USD": "US ${}", "CNY": "¥{}"}
NAMES = {
    "bags": "Bags", "shoes": "Shoes", "watches": "Watches", "audio": "Audio", "power": "Power",
    "home": "Home",
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """What may be shown: listings and sellers; the truth is never read here."""

    folder: Path
    listings: dict[str, dict[str, Any]]
    sellers: dict[str, dict[str, Any]]

    @classmethod
    def load(cls, folder: Path) -> World:
        """Read a world that `world.make` wrote."""
        raw = json.loads((folder / "world.json").read_text(encoding="utf-8"))
        return cls(folder, {row["id"]: row for row in raw["listings"]}, raw["sellers"])

    def search(self, query: str) -> list[dict[str, Any]]:
        """Listings of which every word of the query is in title, text or attributes.

        The search looks through accents, width and hidden characters, as a marketplace's
        does; through real disguises it does not.
        """
        wanted = [word for word in _plain(query).split() if word]
        return [
            row for row in self.listings.values()
            if all(word in _plain(f"{row['title']} {row['description']} "
                                  f"{' '.join(row['attributes'].values())}") for word in wanted)
        ]  # fmt: skip


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in folded if not unicodedata.combining(c) and c != "\u200b")


def price_text(amount: str, currency: str) -> str:
    """A price as the pages write it: ``€ 1.310,00``, ``US $49.90``, ``¥1,280.00``."""
    text = f"{Decimal(amount):,.2f}"
    if currency == "EUR":
        text = text.translate(str.maketrans(",.", ".,"))
    return SIGNS[currency].format(text)


def slug(title: str) -> str:
    """The readable end of a listing's address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "item"


def create_app(folder: Path, faults: Plan, mail: Path | None = None) -> Starlette:
    """The application for a world's folder.

    Parameters
    ----------
    mail
        A Maildir, into which the shop's e-mails go.
    """
    shop = _Shop(World.load(folder), folder / "orders.sqlite", Letters(mail))
    get: list[tuple[str, Callable[..., Any]]] = [
        ("/", shop.home),
        ("/search", shop.search),
        ("/api/search", shop.api_search),
        ("/c/{category}", shop.category),
        ("/item/{id}/{slug}", shop.item),
        ("/item/{id}/{slug}/reviews", shop.all_reviews),
        ("/thumbs/{name}", shop.thumb),
        ("/terms", shop.terms),
        ("/seller/{id}", shop.seller),
        ("/cart", shop.cart),
        ("/checkout/done/{number}", shop.done),
        ("/checkout/{step}", shop.step),
        ("/bank", shop.bank),
        ("/account/sign-in", shop.sign_in_page),
        ("/account/orders", shop.account_orders),
        ("/orders/find", shop.find_page),
        ("/robots.txt", shop.robots),
        ("/favicon.ico", shop.favicon),
    ]
    post: list[tuple[str, Callable[..., Any]]] = [
        ("/cart/add", shop.add),
        ("/checkout/place", shop.place),
        ("/checkout/{step}", shop.take_step),
        ("/bank", shop.ask_bank),
        ("/account/sign-in", shop.sign_in),
        ("/orders/find", shop.find_order),
    ]
    package = Path(__file__).parent
    return Starlette(
        routes=[
            *(Route(path, view) for path, view in get),
            *(Route(path, view, methods=["POST"]) for path, view in post),
            Mount("/images", StaticFiles(directory=folder / "images")),
            Mount("/static", StaticFiles(directory=package / "static")),
        ],
        middleware=[Middleware(Faults, plan=faults)],
        exception_handlers={404: shop.not_found},
    )


class _Shop:
    def __init__(self, world: World, books: Path, letters: Letters) -> None:
        self.world = world
        self.orders = Orders(books)
        self.accounts = Accounts(books)
        self.letters = letters
        self.baskets: dict[str, Basket] = {}
        self.placed: dict[str, tuple[Decimal, str]] = {}
        self.templates = Environment(
            loader=PackageLoader("bazaar"), autoescape=select_autoescape(), trim_blocks=True
        )
        self.templates.globals.update(price=price_text, slug=slug, categories=NAMES)

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(template).render(**values), status)

    # Looking

    async def home(self, _request: Request) -> Response:
        return self._page("home.html", rows=list(self.world.listings.values())[:8])

    async def search(self, request: Request) -> Response:
        return self._page("search.html", query=request.query_params.get("q", ""))

    async def api_search(self, request: Request) -> Response:
        found = self.world.search(request.query_params.get("q", ""))
        offset = _number(request.query_params.get("offset"), 0)
        rows = [
            {
                "url": f"/item/{row['id']}/{slug(row['title'])}",
                "title": row["title"],
                "price": price_text(row["price"], row["currency"]),
                "image": f"/images/{row['images'][0]}",
            }
            for row in found[offset : offset + BATCH]
        ]
        return JSONResponse(
            {"total": len(found), "rows": rows, "end": offset + BATCH >= len(found)}
        )

    async def category(self, request: Request) -> Response:
        name = request.path_params["category"]
        if name not in NAMES:
            return await self.not_found(request, None)
        rows = [row for row in self.world.listings.values() if row["category"] == name]
        return self._list(request, "category.html", rows, name=NAMES[name], path=f"/c/{name}")

    async def seller(self, request: Request) -> Response:
        name = request.path_params["id"]
        seller = self.world.sellers.get(name)
        if seller is None:
            return await self.not_found(request, None)
        rows = [row for row in self.world.listings.values() if row["seller"] == name]
        return self._list(
            request, "seller.html", rows, seller=seller, id=name, path=f"/seller/{name}"
        )

    def _list(
        self, request: Request, template: str, rows: list[dict[str, Any]], **values: Any
    ) -> Response:
        page = _number(request.query_params.get("page"), 1)
        last = max(1, -(-len(rows) // PAGE))
        shown = rows[(page - 1) * PAGE : page * PAGE]
        return self._page(template, rows=shown, page=page, last=last, total=len(rows), **values)

    async def item(self, request: Request) -> Response:
        row = self.world.listings.get(request.path_params["id"])
        if row is None:
            return await self.not_found(request, None)
        seller = self.world.sellers[row["seller"]]
        # Of what the page says: its form has a token, which is another one each time.
        said = json.dumps([row, seller], sort_keys=True).encode()
        tag = f'W/"{hashlib.sha256(said).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        basket = self._basket(request)
        sold_out = troubles.begin(request, basket)
        data = _json_ld(row, seller, str(request.base_url)) if row["json_ld"] else None
        if sold_out and data:
            data["offers"]["availability"] = "https://schema.org/OutOfStock"
        page = self._page(
            "item.html", row=row, seller=seller, token=basket.token, json_ld=data,
            variants=variants(row), reviews=reviews(row), sold_out=sold_out,
        )  # fmt: skip
        if not sold_out:
            page.headers["ETag"] = tag
        return self._with_basket(page, basket)

    async def all_reviews(self, request: Request) -> Response:
        row = self.world.listings.get(request.path_params["id"])
        if row is None:
            return await self.not_found(request, None)
        return self._page("reviews.html", row=row, reviews=reviews(row))

    async def terms(self, _request: Request) -> Response:
        return self._page("terms.html", rates=SHIPPING)

    async def thumb(self, request: Request) -> Response:
        """A picture, small: what the gallery shows; it links to the large one."""
        path = self.world.folder / "images" / Path(request.path_params["name"]).name
        if not path.is_file():
            return await self.not_found(request, None)
        return Response(await asyncio.to_thread(_small, path), media_type="image/jpeg")

    # Buying

    def _basket(self, request: Request) -> Basket:
        known = self.baskets.get(request.cookies.get(COOKIE, ""))
        return known or Basket()

    def _with_basket(self, response: Response, basket: Basket) -> Response:
        self.baskets[basket.token] = basket
        response.set_cookie(COOKIE, basket.token, httponly=True, samesite="lax")
        return response

    async def _form(self, request: Request, basket: Basket) -> dict[str, str] | None:
        form = {key: str(value) for key, value in (await request.form()).items()}
        return form if secrets.compare_digest(form.pop("csrf", ""), basket.token) else None

    async def add(self, request: Request) -> Response:
        basket = self._basket(request)
        form = await self._form(request, basket)
        if form is None or form.get("listing") not in self.world.listings:
            return self._page("message.html", 400, text="This form has expired.")
        basket.listing, basket.quantity = form["listing"], 1
        return self._with_basket(RedirectResponse("/cart", 303), basket)

    def _bill(self, basket: Basket) -> dict[str, Any]:
        row = self.world.listings[str(basket.listing)]
        price = Decimal(row["price"]) * basket.quantity
        shipping = SHIPPING.get(basket.shipping, Decimal(0))
        bill = {
            "row": row, "quantity": basket.quantity, "shipping": shipping, "bill_price": price,
            "total": price + shipping, "seller": self.world.sellers[row["seller"]],
            "currency": row["currency"], "token": basket.token, "basket": basket,
            "rates": SHIPPING,
        }  # fmt: skip
        troubles.bill(basket, bill, self.world.sellers)
        return bill

    async def cart(self, request: Request) -> Response:
        basket = self._basket(request)
        if basket.listing is None:
            return self._page("message.html", text="Your cart is empty.")
        troubles.choose_seller(request, basket)
        return self._page("cart.html", **self._bill(basket))

    async def step(self, request: Request) -> Response:
        name, basket = request.path_params["step"], self._basket(request)
        trouble = troubles.page_of(basket, name)
        if basket.listing is not None and trouble is not None:
            return self._page(trouble, **self._bill(basket))
        if basket.listing is None or name not in ("address", "shipping", "payment", "review"):
            return RedirectResponse("/cart", 303)
        return self._page(f"checkout_{name}.html", step=name, **self._bill(basket))

    async def take_step(self, request: Request) -> Response:
        name, basket = request.path_params["step"], self._basket(request)
        form = await self._form(request, basket)
        if form is None or basket.listing is None:
            return self._page("message.html", 400, text="This form has expired.")
        if name == "address":
            basket.address = form
            return RedirectResponse("/checkout/shipping", 303)
        if name == "shipping" and form.get("shipping") in SHIPPING:
            basket.shipping = form["shipping"]
            return RedirectResponse("/checkout/payment", 303)
        if name == "payment" and form.get("payment"):
            basket.payment = form["payment"]
            return RedirectResponse(f"/checkout/{troubles.after_payment(basket)}", 303)
        return troubles.take(basket, name, form) or RedirectResponse(f"/checkout/{name}", 303)

    async def place(self, request: Request) -> Response:
        basket = self._basket(request)
        form = await self._form(request, basket)
        ready = basket.listing and basket.address and basket.shipping and basket.payment
        if form is None or not ready:
            return self._page("message.html", 400, text="This order is not complete.")
        if basket.trouble == "bank":
            return RedirectResponse("/bank", 303)
        return self._placed(request, basket)

    async def bank(self, request: Request) -> Response:
        basket = self._basket(request)
        if basket.listing is None:
            return RedirectResponse("/cart", 303)
        return self._page("bank.html", **self._bill(basket))

    async def ask_bank(self, request: Request) -> Response:
        basket = self._basket(request)
        form = await self._form(request, basket)
        if form is None or basket.trouble != "bank":
            return self._page("message.html", 400, text="This form has expired.")
        if form.get("challengeDataEntry") != troubles.CODE:
            return RedirectResponse("/bank", 303)
        return self._placed(request, basket)

    def _placed(self, request: Request, basket: Basket) -> Response:
        bill = self._bill(basket)
        account = self._account(request)
        number = self.orders.place(basket, bill["total"], bill["currency"], account)
        self.placed[number] = bill["total"], bill["currency"]
        address = basket.address
        self.letters.confirm(
            address.get("email", ""), number, bill["row"]["title"],
            price_text(str(bill["total"]), bill["currency"]),
            "\n".join(address.get(name, "") for name in ("name", "line1", "postcode", "city")),
        )  # fmt: skip
        return RedirectResponse(f"/checkout/done/{number}", 303)

    async def done(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number not in self.placed:
            return await self.not_found(request, None)
        total, currency = self.placed[number]
        return self._page("done.html", number=number, total=total, currency=currency)

    # Accounts

    def _account(self, request: Request) -> str | None:
        return self.accounts.whose(request.cookies.get(accounts.COOKIE, ""))

    async def sign_in_page(self, request: Request) -> Response:
        basket = self._basket(request)
        return self._with_basket(self._page("sign_in.html", token=basket.token), basket)

    async def sign_in(self, request: Request) -> Response:
        form = await self._form(request, self._basket(request))
        if form is None:
            return self._page("message.html", 400, text="This form has expired.")
        email, password = form.get("email", ""), form.get("password", "")
        if form.get("new"):
            self.accounts.register(email, password)
        token = self.accounts.sign_in(email, password)
        if token is None:
            return self._page("message.html", 403, text="That is not the password.")
        response = RedirectResponse("/account/orders", 303)
        response.set_cookie(accounts.COOKIE, token, max_age=30 * 86_400, httponly=True)
        return response

    async def account_orders(self, request: Request) -> Response:
        email = self._account(request)
        if email is None:
            return RedirectResponse("/account/sign-in", 303)
        page = _number(request.query_params.get("page"), 1) or 1
        rows, more = self.accounts.orders(email, page)
        return self._page(
            "account_orders.html", rows=rows, page=page, more=more, listings=self.world.listings
        )

    async def find_page(self, request: Request) -> Response:
        basket = self._basket(request)
        page = self._page("find_order.html", token=basket.token)
        return self._with_basket(page, basket)

    async def find_order(self, request: Request) -> Response:
        form = await self._form(request, self._basket(request))
        if form is None:
            return self._page("message.html", 400, text="This form has expired.")
        found = self.accounts.of_guest(form.get("email", ""), form.get("number", "").strip())
        if found is None:
            return self._page("message.html", 404, text="There is no such order.")
        return self._page(
            "account_orders.html", rows=[found], page=1, more=False, listings=self.world.listings
        )

    # The rest

    async def robots(self, _request: Request) -> Response:
        return PlainTextResponse("User-agent: *\nAllow: /\nDisallow: /checkout/\n")

    async def favicon(self, _request: Request) -> Response:
        return Response(status_code=204)

    async def not_found(self, _request: Request, _error: Any) -> Response:
        return self._page("message.html", 404, text="There is nothing here.")


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 9 else default


def _small(path: Path) -> bytes:
    sink = BytesIO()
    with Image.open(path) as picture:
        picture.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
        picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
        picture.convert("RGB").save(sink, "JPEG", quality=70)
    return sink.getvalue()


def _json_ld(row: dict[str, Any], seller: dict[str, Any], base: str) -> dict[str, Any]:
    condition = "UsedCondition" if row["condition"] == "used" else "NewCondition"
    data = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": row["title"],
        "description": row["description"],
        "sku": row["id"],
        "image": [f"{base}images/{name}" for name in row["images"]],
        "itemCondition": f"https://schema.org/{condition}",
        "offers": {
            "@type": "Offer",
            "price": row["price"],
            "priceCurrency": row["currency"],
            "availability": "https://schema.org/InStock",
            "seller": {"@type": "Organization", "name": seller["name"]},
        },
    }
    if "Brand" in row["attributes"]:
        data["brand"] = {"@type": "Brand", "name": row["attributes"]["Brand"]}
    return data
