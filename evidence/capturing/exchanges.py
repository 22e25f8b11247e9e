"""Requests and responses as the browser's Network domain tells of them.

The events of one request come in any order and a redirect goes on under the same request
id; here they become exchanges: one request, one response, one body or the reason why not.
Source: Chrome DevTools Protocol, domain Network.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: A page that asks without end is not followed without end.
MAX_EXCHANGES = 20_000


@dataclass(slots=True)
class Exchange:
    """One request and what came of it.

    Parameters
    ----------
    body
        File with the payload, as decoded by the browser; None if there is none.
    truncated
        Why the payload is missing or ends early, in the terms of WARC-Truncated; None if it
        is whole.
    error
        Why there is no response at all, or not all of it.
    posted
        What was sent as the request's body; a file if it is large.
    request_truncated
        Why what was posted is missing, in the same terms.
    beside
        Whether a window beside the page asked for it: it is recorded, but not of the page.
    via
        Who answered in the network's place, if the answer is recorded nevertheless.
    """

    url: str
    method: str
    started_at: datetime
    request_headers: dict[str, str]
    posted: bytes | Path
    resource_type: str
    sent_headers: dict[str, str] | None = None
    response: dict[str, Any] | None = None
    received_text: str | None = None
    received_headers: dict[str, str] | None = None
    received_status: int | None = None
    body: Path | None = None
    truncated: str | None = None
    error: str | None = None
    request_truncated: str | None = None
    beside: bool = False
    via: str | None = None
    has_extra: bool = True

    @property
    def request_body(self) -> bytes:
        """What was posted."""
        return self.posted.read_bytes() if isinstance(self.posted, Path) else self.posted

    @property
    def status(self) -> int:
        """The HTTP status; 0 where no response came."""
        if self.received_status is not None:
            return self.received_status
        return int(self.response["status"]) if self.response else 0

    @property
    def answered(self) -> bool:
        """Whether a response came, be it one that the page was not allowed to read."""
        return self.status > 0

    @property
    def whole(self) -> bool:
        """Whether the answer is here, from its first byte to its last."""
        return self.answered and self.truncated is None and self.error is None

    def headers_sent(self) -> list[tuple[str, str]]:
        """Header fields of the request, without the pseudo-fields of HTTP/2."""
        headers = self.sent_headers or self.request_headers
        return [(k, v) for k, v in headers.items() if not k.startswith(":")]

    def headers_received(self) -> list[tuple[str, str]]:
        """Header fields of the response in their order, a repeated field repeated."""
        if self.received_text:
            lines = self.received_text.replace("\r\n", "\n").split("\n")[1:]
            pairs = (line.partition(":") for line in lines if ":" in line)
            return [(name.strip(), value.strip()) for name, _, value in pairs]
        headers = self.received_headers or (self.response or {}).get("headers") or {}
        return [
            (name, value)
            for name, joined in headers.items()
            if not name.startswith(":")
            # Without the raw text, the protocol joins repeated fields by a line feed.
            for value in str(joined).split("\n")
        ]

    def received(self, name: str) -> str:
        """The first value of a header field of the response; empty if there is none."""
        wanted = name.lower()
        return next((v for k, v in self.headers_received() if k.lower() == wanted), "")

    def may_have_body(self) -> bool:
        """Whether a body belongs to such an answer (RFC 9110, section 6.4.1)."""
        if self.method == "HEAD" or self.status < 200 or self.status in (204, 304):
            return False
        return self.received("Content-Length") != "0"


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Log:
    """All exchanges of a visit, in the order in which they began.

    Attributes
    ----------
    local
        How many requests never went over the network, by where their answer came from.
    asked
        How many requests there were for each method and URL.
    beyond
        How many requests there were beyond those that are kept.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    local: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    beyond: int = 0
    _chains: dict[str, list[Exchange]] = field(default_factory=dict)
    _sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _received: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def request(self, event: dict[str, Any]) -> Exchange | None:
        """Network.requestWillBeSent; None if nothing will be sent over the network."""
        asked = event["request"]
        scheme = asked["url"].partition(":")[0]
        if scheme not in ("http", "https"):
            self.local[scheme] += 1
            return None
        if len(self.exchanges) >= MAX_EXCHANGES:
            self.beyond += 1
            return None
        chain = self._chains.setdefault(event["requestId"], [])
        if chain and event.get("redirectResponse"):
            chain[-1].response = event["redirectResponse"]
            chain[-1].has_extra = event.get("redirectHasExtraInfo", True)
            if chain[-1].may_have_body():
                chain[-1].truncated = "unspecified"  # the browser hands it to nobody
        exchange = Exchange(
            url=asked["url"] + asked.get("urlFragment", ""),
            method=asked["method"],
            started_at=datetime.fromtimestamp(event["wallTime"], UTC),
            request_headers=asked["headers"],
            posted=_posted(asked),
            resource_type=event.get("type", "Other"),
        )
        chain.append(exchange)
        self.exchanges.append(exchange)
        self.asked[exchange.method, asked["url"]] += 1
        self._attach(event["requestId"])
        return exchange

    def socket(self, event: dict[str, Any], url: str) -> Exchange | None:
        """Network.webSocketWillSendHandshakeRequest: an HTTP request like another (RFC 6455).

        It goes by its HTTP address: tools look for no HTTP in records of another scheme.
        """
        exchange = Exchange(
            url=url.replace("ws", "http", 1),
            method="GET",
            started_at=datetime.fromtimestamp(event["wallTime"], UTC),
            request_headers=event["request"]["headers"],
            posted=b"",
            resource_type="WebSocket",
        )
        return exchange if self.add(exchange) else None

    def add(self, exchange: Exchange) -> bool:
        """Take in one that was learned of in another way; whether there is room for it."""
        if len(self.exchanges) >= MAX_EXCHANGES:
            self.beyond += 1
            return False
        self.exchanges.append(exchange)
        return True

    def request_extra(self, event: dict[str, Any]) -> None:
        """Network.requestWillBeSentExtraInfo: the header fields as they really went."""
        self._sent.setdefault(event["requestId"], []).append(event)
        self._attach(event["requestId"])

    def response_extra(self, event: dict[str, Any]) -> None:
        """Network.responseReceivedExtraInfo: the header fields as they really came."""
        self._received.setdefault(event["requestId"], []).append(event)
        self._attach(event["requestId"])

    def response(self, event: dict[str, Any]) -> bool:
        """Network.responseReceived; whether it came over the network."""
        exchange = self.last(event["requestId"])
        if exchange is None:
            return False
        response = event["response"]
        exchange.response = response
        exchange.has_extra = event.get("hasExtraInfo", True)
        source = _local_source(response)
        if source is not None:
            self.drop(event["requestId"], source)
        return source is None

    def drop(self, request_id: str, source: str) -> None:
        """Take out a request that was answered by something nearer than the network."""
        exchange = self.last(request_id)
        if exchange is not None:
            self.local[source] += 1
            self._chains[request_id].remove(exchange)
            self.exchanges.remove(exchange)

    def failed(self, event: dict[str, Any]) -> None:
        """Network.loadingFailed."""
        exchange = self.last(event["requestId"])
        if exchange is None:
            return
        reason = event.get("blockedReason") or event.get("errorText") or "failed"
        exchange.error = reason
        if exchange.answered and exchange.truncated is None and exchange.may_have_body():
            cut_off = not event.get("canceled") and not event.get("corsErrorStatus")
            exchange.truncated = "disconnect" if cut_off else "unspecified"

    def last(self, request_id: str) -> Exchange | None:
        """The exchange that is going on under an id."""
        chain = self._chains.get(request_id)
        return chain[-1] if chain else None

    def _attach(self, request_id: str) -> None:
        # The n-th extra event belongs to the n-th hop that has one: they come in order, but
        # not in step.
        chain = [e for e in self._chains.get(request_id, []) if e.has_extra]
        for exchange, sent in zip(chain, self._sent.get(request_id, []), strict=False):
            exchange.sent_headers = sent["headers"]
        for exchange, came in zip(chain, self._received.get(request_id, []), strict=False):
            exchange.received_text = came.get("headersText")
            exchange.received_headers = came["headers"]
            exchange.received_status = came.get("statusCode")


def endpoint(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.hostname or "", parts.port or default


def _local_source(response: dict[str, Any]) -> str | None:
    if response.get("fromServiceWorker"):
        return "service worker"
    if response.get("fromDiskCache") or response.get("fromPrefetchCache"):
        return "cache"
    return None


def _posted(asked: dict[str, Any]) -> bytes:
    parts = asked.get("postDataEntries")
    if parts:
        return b"".join(base64.b64decode(part.get("bytes", "")) for part in parts)
    return str(asked.get("postData", "")).encode()
