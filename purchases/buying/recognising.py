"""What stands where a step of the checkout should: a captcha, a login, the bank, "sold out".

Asked only of pages on which the step was not found; nothing here gets past anything.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Page

from crawler.marketplaces.walls import find_wall
from purchases.buying.reasons import Reason, Stopped

#: Fields by which a shop sends a browser to the bank that issued the card, and the bank asks it:
#: EMV 3-D Secure 2 (CReq, 3DS Method data, session) and version 1 (PaReq with MD and TermUrl).
BANK_FIELDS = (
    "creq", "threeDSMethodData", "threeDSSessionData", "PaReq", "TermUrl", "challengeDataEntry",
)  # fmt: skip
_BANK = ", ".join(f"input[name={name!r} i]" for name in BANK_FIELDS)

SOLD_OUT = re.compile(
    r"sold[ -]?out|out of stock|no longer available|(?:currently|temporarily) unavailable"
    r"|ausverkauft|nicht (?:mehr )?(?:vorrätig|lieferbar|verfügbar)|vergriffen"
    r"|épuisé|rupture de stock|plus disponible|indisponible|agotado|sin existencias"
    r"|esaurit[oa]|non disponibile|esgotado|indisponível|uitverkocht|niet op voorraad|wyprzedan"
    r"|нет в наличии|распродан|売り切れ|在庫切れ|缺货|售罄|已售完",
    re.IGNORECASE,
)
_WALLS: dict[str, Reason] = {
    "captcha": "captcha", "login": "login", "blocked": "blocked", "gone": "gone",
}  # fmt: skip
MAX_TEXT = 6_000


def place(url: str) -> str:
    """Host and port of an address, with and without ``www.`` the same."""
    return urlsplit(url).netloc.lower().removeprefix("www.")


async def at_bank(page: Page, shop: str) -> str | None:
    """What tells that the page is the bank's, or leads to it; None if nothing does.

    Parameters
    ----------
    shop
        An address of the shop. A web page of another host, in the midst of a checkout, is
        whoever takes the money or asks for it.
    """
    parts = urlsplit(page.url)
    if parts.scheme in ("http", "https") and place(page.url) != place(shop):
        return f"the page is of {parts.netloc}"
    for frame in page.frames:
        found = frame.locator(_BANK)
        if await found.count():
            name = await found.first.get_attribute("name")
            return f"it has the field {name}"
    return None


async def obstacle(page: Page, shop: str, status: int | None) -> Stopped | None:
    """What is there in the step's place, if it can be told.

    Parameters
    ----------
    status
        Of the answer that the page is.
    """
    bank = await at_bank(page, shop)
    if bank is not None:
        return Stopped("bank", f"the bank asks (3-D Secure): {bank}")
    text = " ".join((await page.locator("body").inner_text()).split())[:MAX_TEXT]
    sold_out = SOLD_OUT.search(text)
    wall = find_wall(await page.content(), page.url, status)
    if wall is not None and wall.kind in ("captcha", "login"):
        return Stopped(_WALLS[wall.kind], f"{wall.kind}: {wall.why}")
    if sold_out is not None:
        return Stopped("out_of_stock", f"the page says {sold_out[0]!r}")
    if status is not None and (status >= 500 or status == 429):
        return Stopped("shop_error", f"the shop answers with HTTP {status}")
    if wall is not None:
        return Stopped(_WALLS[wall.kind], f"{wall.kind}: {wall.why}")
    return None
