"""Asking for a page or two: one request at a time, for whoever waits for the answer.

So a marketplace is looked at before a run, a page elsewhere is read for its links, and a person
tries a page. A run has its own ways (`crawler.network.downloading`).
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from crawler.network.gate import Forbidden, Gate
from crawler.network.turns import Turns
from registry.errors import TouchstoneError

MAX_BYTES = 12 << 20
#: What one answer may take as a whole, however it trickles in.
SECONDS = 30.0
REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, whole or cut at `MAX_BYTES`."""

    url: str
    status: int
    body: bytes
    content_type: str | None


class RobotsForbid(TouchstoneError):
    """An address that robots.txt forbids; `status` is what robots.txt itself came with."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class LeadsOn(TouchstoneError):
    """An address that redirects more often than is followed."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Parameters
    ----------
    gate
        Which every redirect and every address connected to passes.
    agent
        What the requests call themselves.
    turns
        Where they wait for their turn at a host.
    """

    gate: Gate
    agent: str
    turns: Turns

    def fetch(self, url: str, *, until: float | None = None) -> Page:
        """Ask for a page, wherever it leads.

        Parameters
        ----------
        until
            By `time.monotonic`, when all of it must be over.

        Raises
        ------
        TouchstoneError
            If it may not be visited, does not answer, or leads on and on.
        """
        for _ in range(REDIRECTS + 1):
            status, said, body = self.ask(url, until=until)
            where = said.get("location")
            if status in (301, 302, 303, 307, 308) and where:
                try:
                    url = urljoin(url, where)
                except ValueError as error:
                    raise TouchstoneError(f"{url} leads to no address: {where[:100]}") from error
                continue
            return Page(url, status, body, said.get("content-type"))
        raise LeadsOn(f"{url}: more than {REDIRECTS} redirects")

    def ask(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        until: float | None = None,
        most: int = MAX_BYTES,
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask once, with a POST if there is a body: status, headers in lower case, body.

        No redirect is followed.

        Parameters
        ----------
        until
            By `time.monotonic`, when it must be over; in any case `SECONDS` after its turn came.
        most
            Bytes of the body that are read.

        Raises
        ------
        NoTurn
            If its turn does not come in time.
        TouchstoneError
            If it may not be visited or does not answer.
        """
        try:
            self.gate.check(url)
        except Forbidden as forbidden:
            raise TouchstoneError(f"marketplace {forbidden}") from forbidden
        accept = "text/html,application/json;q=0.9,*/*;q=0.1"
        bearing = {"User-Agent": self.agent, "Accept": accept, **(headers or {})}
        with self.turns.turn(urlsplit(url).netloc.lower(), until):
            return _ask(self.gate, url, bearing, body, until, most)

    def obey_robots(self, url: str, *, until: float | None = None) -> None:
        """Make sure that robots.txt lets us ask for an address.

        Raises
        ------
        RobotsForbid
            If it forbids it.
        TouchstoneError
            If its host does not answer.
        """
        try:
            page = self.fetch(urljoin(url, "/robots.txt"), until=until)
        except LeadsOn:
            return  # RFC 9309, 2.3.1.2: as if it were not there
        host = urlsplit(url).netloc
        if page.status >= 500:  # 2.3.1.4: it may be there, and forbid what we would ask for
            raise RobotsForbid(
                f"robots.txt of {host} answers {page.status}: nothing else is asked", page.status
            )
        if page.status != 200:
            return  # 2.3.1.3: what is not there forbids nothing
        rules = RobotFileParser()
        rules.parse(page.body[:512_000].decode("utf-8", "replace").splitlines())
        if not rules.can_fetch(self.agent, url):
            raise RobotsForbid(
                f"robots.txt of {host} forbids {url}: nothing was asked", page.status
            )


def _ask(
    gate: Gate,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    until: float | None,
    most: int,
) -> tuple[int, dict[str, str], bytes]:
    seconds = SECONDS if until is None else min(SECONDS, until - time.monotonic())
    if seconds <= 0:
        raise TouchstoneError(f"{url} is not asked: there is no time left")
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=_tls())
        if secure
        else http.client.HTTPConnection(host, parts.port, timeout=seconds)
    )

    def connect(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        name, port = address
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0][4][0]
        # The very address that is connected to: the name may lead elsewhere by now.
        gate.check_address(name, port, str(found))
        made = socket.create_connection((str(found), port), timeout=seconds)
        ends.enter_context(_cut(made, seconds, late))
        return made

    late = threading.Event()
    ends = contextlib.ExitStack()
    connection._create_connection = connect  # type: ignore[attr-defined]
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("GET" if body is None else "POST", path, body, dict(headers))
        answer = connection.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read(most)
        if late.is_set():  # what came until then looks whole where no length was said
            raise TimeoutError
        return answer.status, said, content
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if late.is_set():
            reason = f"not all of it came in {seconds:.0f} seconds"
        raise TouchstoneError(f"{url} does not answer: {reason}") from error
    finally:
        ends.close()
        connection.close()


@contextlib.contextmanager
def _cut(connection: socket.socket, seconds: float, late: threading.Event) -> Iterator[None]:
    """End a connection after so long: a time limit of a socket is for each of its reads only."""
    # TLS takes the socket over; a second handle of it still ends the connection.
    handle = connection.dup()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
