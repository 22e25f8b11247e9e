"""Pages made by us after the structure of real ones: no name, text or picture of theirs.

They stand in where no real page can be had, and for layouts of which none was saved. That a
page object reads them says that it does what was meant, not that the marketplace still looks
so; `touchstone marketplace check` says that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Made:
    """A page and what is to be read from it.

    Parameters
    ----------
    money
        ``"12.50 EUR"``; None where the page shows no price.
    image
        How the address of the main picture ends.
    """

    name: str
    url: str
    html: str
    title: str | None
    money: str | None
    seller: str | None
    image: str | None
    availability: str | None = None
    brand: str | None = None
    kind: str | None = None
    encoding: str = "utf-8"
    ships_from: str | None = None
    condition: str | None = None
