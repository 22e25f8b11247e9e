"""Official interfaces of marketplaces: addresses are built and answers are read here.

Requests are sent as all others are, by the spider (`crawler.marketplaces.interfaces`) or for the
live check, and held against the gate. Tokens come from the environment and stand in headers
only, which `crawler.network.official` adds on the way out: never in an address, which is logged
and kept.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from crawler.marketplaces.facts import Card, Facts
from registry.errors import TouchstoneError


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results: its cards, and how many there are in all, if it says so."""

    cards: tuple[Card, ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A POST for a token; headers and body are secret."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Api:
    """The interface of one marketplace.

    Attributes
    ----------
    variables
        How the names of its variables in the environment begin: ``…_TOKEN`` holds the token,
        ``…_API`` another host than `home` (a sandbox), ``…_CALLS`` another limit than
        `calls_a_day`.
    page_size
        Listings that a request for results asks for.
    last_offset
        The first listing of a page of results that is answered lies no further on.
    calls_a_day
        The documented limit; None where none is published.
    """

    name: ClassVar[str]
    variables: ClassVar[str]
    home: ClassVar[str]
    page_size: ClassVar[int] = 50
    last_offset: ClassVar[int]
    calls_a_day: ClassVar[int | None] = None
    #: Where a token is asked for by an application's id and secret, if that is possible.
    token_path: ClassVar[str | None] = None

    @property
    def token_variable(self) -> str:
        """The environment's variable that holds the token."""
        return f"{self.variables}_TOKEN"

    def token(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The token that was set, None if none was.

        Raises
        ------
        TouchstoneError
            If it is not one that a header may hold.
        """
        return _secret(environment, self.token_variable)

    def application(self, environment: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
        """The id and the secret of an application that may have tokens made, if they are set.

        Raises
        ------
        TouchstoneError
            If only one of them is there.
        """
        if self.token_path is None:
            return None
        names = f"{self.variables}_APP_ID", f"{self.variables}_APP_SECRET"
        first, second = (_secret(environment, name) for name in names)
        if first and second:
            return first, second
        if first or second:
            raise TouchstoneError(f"{self.name}: set both {names[0]} and {names[1]}")
        return None

    def is_ready(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Whether there is a token, or a way to have one."""
        return self.token(environment) is not None or self.application(environment) is not None

    def demand(self, environment: Mapping[str, str] = os.environ) -> None:
        """Make sure that there is a token, or a way to have one.

        Raises
        ------
        TouchstoneError
            If not.
        """
        if not self.is_ready(environment):
            or_else = f", or {self.variables}_APP_ID and _APP_SECRET" if self.token_path else ""
            raise TouchstoneError(
                f"{self.name}: no token: set {self.token_variable}{or_else}, or watch the pages "
                "instead (interface: pages)"
            )

    def host(self, environment: Mapping[str, str] = os.environ) -> str:
        """Scheme and host of the interface.

        Raises
        ------
        TouchstoneError
            If another than `home` is set, and it is none.
        """
        name = f"{self.variables}_API"
        said = environment.get(name, "").strip().rstrip("/")
        if not said:
            return self.home
        try:
            parts = urlsplit(said)
            fits = parts.scheme in ("http", "https") and parts.netloc and not parts.path
        except ValueError:
            fits = False
        if not fits:
            raise TouchstoneError(f"{name}: {said[:100]!r} is not https:// and a host")
        return said

    def limit(self, environment: Mapping[str, str] = os.environ) -> int | None:
        """Calls that may be made in a day.

        Raises
        ------
        TouchstoneError
            If what is set is no number.
        """
        name = f"{self.variables}_CALLS"
        said = environment.get(name, "").strip()
        if not said:
            return self.calls_a_day
        if not said.isdigit():
            raise TouchstoneError(f"{name}: {said[:50]!r} is no number of calls a day")
        return int(said)

    def unauthorised(self) -> str:
        """What an answer of 401 means, and what to do."""
        if self.token() is None:
            return f"it answers 401: it does not know {self.variables}_APP_ID or its _APP_SECRET"
        return (
            f"it answers 401: the token is wrong or has expired: set {self.token_variable} to a "
            "new one"
        )

    def token_request(self, application: tuple[str, str]) -> TokenRequest:
        """What asks for a token as an application, as OAuth 2.0 has it (RFC 6749, 4.4)."""
        pair = base64.b64encode(":".join(application).encode()).decode()
        form = {"grant_type": "client_credentials", "scope": f"{self.home}/oauth/api_scope"}
        return TokenRequest(
            f"{self.host()}{self.token_path}",
            {
                "Authorization": f"Basic {pair}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            urlencode(form).encode(),
        )

    def made_token(self, status: int, body: bytes) -> tuple[str, float]:
        """The token out of the answer to that, and the seconds that it lasts.

        Raises
        ------
        TouchstoneError
            If there is none.
        """
        answer = parsed(body)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        seconds = answer.get("expires_in") if isinstance(answer, dict) else None
        if status != 200 or not isinstance(token, str) or not token.isascii():
            raise TouchstoneError(
                f"{self.name}: it makes no token for {self.variables}_APP_ID (HTTP {status}): are "
                "id and secret those of the production keyset?"
            )
        return token, float(seconds) if isinstance(seconds, int | float) else 3600.0

    def headers(self, token: str, market: str) -> dict[str, str]:
        """What a request bears on a country's market. It holds the token: never to be logged."""
        raise NotImplementedError

    def search_url(self, host: str, query: str, page: int, market: str) -> str:
        """The address of a page (from 1) of results on a country's market."""
        raise NotImplementedError

    def listing_url(self, host: str, external_id: str) -> str:
        """The address of one listing."""
        raise NotImplementedError

    def instead(self, host: str, url: str, answer: Any) -> str | None:
        """Where to ask instead, by what a refusal says; None if nowhere."""
        return None

    def read_search(self, answer: Any) -> Results:
        """Results out of an answer; what is not as documented is left out."""
        raise NotImplementedError

    def read_listing(self, answer: Any) -> Facts:
        """A listing out of an answer; what is not as documented is left out."""
        raise NotImplementedError


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    said = environment.get(name, "").strip()
    if not said:
        return None
    if not said.isascii() or not said.isprintable() or " " in said:
        raise TouchstoneError(f"{name}: that is no token: blanks, or not ASCII")
    return said


def parsed(body: bytes) -> Any:
    """An answer's JSON, None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def address(base: str, **parameters: object) -> str:
    """An address with its parameters, those that are None left out."""
    said = {name: value for name, value in parameters.items() if value is not None}
    return f"{base}?{urlencode(said)}" if said else base
