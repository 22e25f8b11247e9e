"""Requests and responses as the browser's Network domain tells of them.

The events of one request come in any order and a redirect goes on under the same request
id; here they become exchanges: one request, one response, one body or the reason why not.
Source: Chrome DevTools Protocol, domain Network.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Exchange:
    """One request and what came of it.

    Parameters
    ----------
    body
        File with the payload, as decoded by the browser; None if there is none.
    truncated
        Why the payload is missing, in the terms of WARC-Truncated; None if it is whole.
    error
        Why there is no response at all.
    """

    url: str
    method: str
    started_at: datetime
    request_headers: dict[str, str]
    request_body: bytes
    resource_type: str
    sent_headers: dict[str, str] | None = None
    response: dict[str, Any] | None = None
    received_text: str | None = None
    received_headers: dict[str, str] | None = None
    received_status: int | None = None
    body: Path | None = None
    truncated: str | None = None
    error: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status; 0 where no response came."""
        if self.received_status is not None:
            return self.received_status
        return int(self.response["status"]) if self.response else 0

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


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Log:
    """All exchanges of a visit, in the order in which they began."""

    exchanges: list[Exchange] = field(default_factory=list)
    _chains: dict[str, list[Exchange]] = field(default_factory=dict)
    _sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _received: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def request(self, event: dict[str, Any]) -> None:
        """Network.requestWillBeSent."""
        asked = event["request"]
        if not asked["url"].startswith(("http:", "https:")):
            return  # data: and blob: never went over the network
        chain = self._chains.setdefault(event["requestId"], [])
        if chain and event.get("redirectResponse"):
            chain[-1].response = event["redirectResponse"]
        exchange = Exchange(
            url=asked["url"] + asked.get("urlFragment", ""),
            method=asked["method"],
            started_at=datetime.fromtimestamp(event["wallTime"], UTC),
            request_headers=asked["headers"],
            request_body=_posted(asked),
            resource_type=event.get("type", "Other"),
        )
        chain.append(exchange)
        self.exchanges.append(exchange)
        self._attach(event["requestId"])

    def request_extra(self, event: dict[str, Any]) -> None:
        """Network.requestWillBeSentExtraInfo: the header fields as they really went."""
        self._sent.setdefault(event["requestId"], []).append(event)
        self._attach(event["requestId"])

    def response_extra(self, event: dict[str, Any]) -> None:
        """Network.responseReceivedExtraInfo: the header fields as they really came."""
        self._received.setdefault(event["requestId"], []).append(event)
        self._attach(event["requestId"])

    def response(self, event: dict[str, Any]) -> None:
        """Network.responseReceived."""
        chain = self._chains.get(event["requestId"])
        if chain:
            chain[-1].response = event["response"]

    def failed(self, event: dict[str, Any]) -> None:
        """Network.loadingFailed."""
        exchange = self.last(event["requestId"])
        if exchange is None:
            return
        reason = event.get("blockedReason") or event.get("errorText") or "failed"
        if exchange.response is None:
            exchange.error = reason
        else:
            exchange.truncated = "disconnect"
            exchange.error = reason

    def last(self, request_id: str) -> Exchange | None:
        """The exchange that is going on under an id."""
        chain = self._chains.get(request_id)
        return chain[-1] if chain else None

    def _attach(self, request_id: str) -> None:
        # The n-th extra event belongs to the n-th hop: they come in order, but not in step.
        chain = self._chains.get(request_id, [])
        for exchange, sent in zip(chain, self._sent.get(request_id, []), strict=False):
            exchange.sent_headers = sent["headers"]
        for exchange, came in zip(chain, self._received.get(request_id, []), strict=False):
            exchange.received_text = came.get("headersText")
            exchange.received_headers = came["headers"]
            exchange.received_status = came.get("statusCode")


def _posted(asked: dict[str, Any]) -> bytes:
    parts = asked.get("postDataEntries")
    if parts:
        return b"".join(base64.b64decode(part.get("bytes", "")) for part in parts)
    return str(asked.get("postData", "")).encode()
