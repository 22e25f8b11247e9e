"""What is visited of a listing beside its page: pictures at full size, variants, seller, terms.

Everything is bounded in number and time. What cannot be had is noted, and is no reason to
lose what was had: the listing's own page comes first.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from urllib.parse import urldefrag

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from web_poet import HttpResponse

from crawler.marketplaces.definition import Definition
from crawler.marketplaces.pages import ListingPage
from evidence.capturing.obstacles import close_layers, read_signs, recognise
from evidence.capturing.recorder import Recorder
from evidence.capturing.settling import settle, silent
from registry.money import Money

#: For all that is visited beside the listing's own page.
BESIDE_SECONDS = 120.0
NAVIGATION_SECONDS = 20.0
IMAGES_SECONDS = 20.0
CHOICE_SECONDS = 3.0
BESIDE_STILL_SECONDS = 0.15

MAX_IMAGES = 60
MAX_CONTROLS = 3
MAX_VARIANTS = 24
#: Choices of which a picture is kept; of the others there is the price.
MAX_VARIANT_STEPS = 8
MAX_TERMS = 2
MAX_HTML_CHARACTERS = 10_000_000

_IMAGES = files("evidence.capturing").joinpath("listing.js").read_text(encoding="utf-8")
_FETCH = files("evidence.capturing").joinpath("fetching.js").read_text(encoding="utf-8")
_VARIANTS = files("evidence.capturing").joinpath("variants.js").read_text(encoding="utf-8")
_HTML = "(most) => document.documentElement.outerHTML.slice(0, most)"


@dataclass
class ListingVisit:
    """A visit to one listing whose page is already there and at rest.

    Attributes
    ----------
    found
        What it says: for ``extra/listing.json``.
    """

    page: Page
    recorder: Recorder
    definition: Definition | None
    found: dict[str, Any] = field(default_factory=dict)
    _said: ListingPage | None = None

    async def read(self) -> bool | None:
        """Read the listing; whether it shows a title and a price, None if nobody knows how to."""
        if self.definition is None:
            return None
        said = await self._parse()
        self._said = said
        self.found = await asyncio.to_thread(_facts, said)
        return bool(self.found["name"] and self.found["price"])

    async def fetch_pictures(self) -> None:
        """Have the page ask for its pictures at full size, as far as it has not yet."""
        named = [image["url"] for image in self.found.get("images", [])]
        seen = await self.recorder.world.call(_IMAGES, 10 * MAX_IMAGES)
        there = {urldefrag(exchange.url)[0] for exchange in self.recorder.network.exchanges}
        wanted = list(dict.fromkeys(urldefrag(url)[0] for url in [*named, *seen]))
        missing = [url for url in wanted if url not in there]
        ends: Mapping[str, str] = {}
        if missing:
            async with asyncio.timeout(IMAGES_SECONDS + 5):
                ends = await self.recorder.world.call(
                    _FETCH, missing[:MAX_IMAGES], IMAGES_SECONDS * 1000
                )
        self.recorder.notes["pictures"] = {
            "named": len(wanted),
            "fetched_beside": dict(ends),
            "left_out": len(missing[MAX_IMAGES:]),
        }

    async def go_on(self) -> None:
        """Everything beside the page itself; never raises for what a page does."""
        if self.definition is None or self._said is None:
            return
        said, notes = self._said, self.recorder.notes
        try:
            async with asyncio.timeout(BESIDE_SECONDS):
                if self.definition.listing_page.VARIANTS:
                    await self._choose(self.definition.listing_page.VARIANTS)
                seller = said.seller()
                here = urldefrag(self.page.url)[0]
                places = [("seller", seller.url if seller else None)]
                places += [("terms", url) for url in said.terms()[:MAX_TERMS]]
                places += [("reviews", said.reviews_link())]
                visited: dict[str, dict[str, Any]] = {}
                for name, url in places:
                    bare = urldefrag(url)[0] if url else None
                    if bare and bare != here and bare not in visited:
                        visited[bare] = {"what": name}
                        visited[bare] |= await self._visit(name, bare)
                notes["visited"] = [{"url": url, **what} for url, what in visited.items()]
        except TimeoutError:
            notes["beside_cut_short"] = f"after {BESIDE_SECONDS:.0f} seconds"
        except PlaywrightError as error:
            notes["beside_cut_short"] = error.message[:300]

    async def _parse(self) -> ListingPage:
        assert self.definition is not None
        html = await self.recorder.world.call(_HTML, MAX_HTML_CHARACTERS)
        response = HttpResponse(
            self.page.url, body=str(html).encode("utf-8", "replace"), encoding="utf-8"
        )
        return self.definition.listing_page(response=response)

    async def _choose(self, selector: str) -> None:
        """Make each choice in turn and note the price that the page shows then."""
        world = self.recorder.world
        controls = await world.call(_VARIANTS, selector)
        offered = [
            (place, [option["index"] for option in control["options"] if not option["dead"]])
            for place, control in enumerate(controls[:MAX_CONTROLS])
        ]
        offered = [(place, options) for place, options in offered if options]
        if not offered:
            return
        product = itertools.product(*(options for _, options in offered))
        every = list(itertools.islice(product, MAX_VARIANTS + 1))
        variants: list[dict[str, Any]] = []
        self.found["variants"] = variants
        self.found["more_variants"] = len(every) > MAX_VARIANTS
        here = urldefrag(self.page.url)[0]
        for number, choice in enumerate(every[:MAX_VARIANTS], 1):
            labels: dict[str, str] = {}
            for (place, _), index in zip(offered, choice, strict=True):
                await world.call(_VARIANTS, selector, place, index)
                control = controls[place]
                labels[str(control["name"])] = str(control["options"][index]["label"])
            await silent(self.recorder.network, CHOICE_SECONDS, still=0.1)
            if urldefrag(self.page.url)[0].split("?")[0] != here.split("?")[0]:
                self.found["more_variants"] = True
                return  # the choice led to another listing
            money = (await self._parse()).shown_money()
            variants.append({"choice": labels, **_price(money)})
            if number <= MAX_VARIANT_STEPS:
                name = f"variant-{number}"
                await self.recorder.step(name)
                variants[-1]["step"] = name

    async def _visit(self, name: str, url: str) -> dict[str, Any]:
        """Go to a page beside the listing and keep it; what became of it."""
        recorder = self.recorder
        try:
            response = await self.page.goto(
                url, wait_until="commit", timeout=NAVIGATION_SECONDS * 1000
            )
            await settle(self.page, recorder.world, recorder.network, still=BESIDE_STILL_SECONDS)
            clicked = await close_layers(recorder.world)
            if clicked:
                recorder.notes.setdefault("closed", []).extend(clicked)
            status = response.status if response else 0
            signs = await read_signs(recorder.world)
            seen = recognise(signs, http_status=status, url=self.page.url)
            await recorder.step(name)
        except PlaywrightError as error:
            return {"error": error.message.strip().splitlines()[0][:300]}
        return {"status": seen.status, "http_status": status}


def _facts(said: ListingPage) -> dict[str, Any]:
    """A listing's page in the words of zyte-common-items, and what these have no word for."""
    seller, money = said.seller(), said.money()
    brand = said.brand
    return {
        "url": str(said.response.url),
        "name": said.name,
        **_price(money),
        "availability": said.availability,
        "condition": said.condition(),
        "brand": brand.name if brand else None,
        "seller": {"id": seller.id, "name": seller.name, "url": seller.url} if seller else None,
        "ships_from": said.ships_from(),
        "description": said.description,
        "images": [{"url": image.url} for image in said.images or []],
        "attributes": {p.name: p.value for p in said.additionalProperties or []},
        "terms": said.terms()[:20],
        "reviews": said.reviews(),
    }


def _price(money: Money | None) -> dict[str, str | None]:
    return {
        "price": str(money.amount) if money else None,
        "currency": money.currency if money else None,
    }
