"""Official interfaces of marketplaces: requests are built and answers are read here.

Nothing is sent: whoever sends a request holds it against the gate, as any other. Tokens come
from the settings or the environment and stand in headers only, never in an address, which is
logged and kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from crawler.marketplaces.facts import Card, Facts
from registry.errors import TouchstoneError


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A GET request to an interface. `headers` hold the token: they are not to be logged."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results: its cards, and how many there are in all, if it says so."""

    cards: tuple[Card, ...]
    total: int | None


class Api:
    """The interface of one marketplace.

    Attributes
    ----------
    token_variable
        The environment's variable that holds the token.
    token_needed
        Whether it answers nobody without one.
    page_size
        Listings that a request for results asks for.
    """

    name: ClassVar[str]
    token_variable: ClassVar[str]
    token_needed: ClassVar[bool] = True
    page_size: ClassVar[int] = 50

    def token(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The token to use; None where there is none and none is needed.

        Raises
        ------
        TouchstoneError
            If there is none and one is needed, or it is not one that a header may hold.
        """
        token = environment.get(self.token_variable, "").strip()
        if not token:
            if self.token_needed:
                raise TouchstoneError(
                    f"{self.name}: no token: set {self.token_variable}, or watch the pages instead"
                )
            return None
        if not token.isascii() or not token.isprintable() or " " in token:
            raise TouchstoneError(f"{self.token_variable}: that is no token: blanks, or not ASCII")
        return token

    def search(self, query: str, page: int, token: str | None, market: str) -> ApiRequest:
        """A request for a page (from 1) of results on a country's market."""
        raise NotImplementedError

    def listing(self, external_id: str, token: str | None, market: str) -> ApiRequest:
        """A request for one listing."""
        raise NotImplementedError

    def read_search(self, answer: Any) -> Results:
        """Results out of an answer; what is not as documented is left out."""
        raise NotImplementedError

    def read_listing(self, answer: Any) -> Facts:
        """A listing out of an answer; what is not as documented is left out."""
        raise NotImplementedError


def address(base: str, **parameters: object) -> str:
    """An address with its parameters, those that are None left out."""
    said = {name: value for name, value in parameters.items() if value is not None}
    return f"{base}?{urlencode(said)}" if said else base
