"""Attempts to open a WebSocket: each begins as a request like another (RFC 6455, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evidence.capturing.exchanges import Exchange, Log


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Sockets:
    """The handshakes of a page's WebSockets.

    Parameters
    ----------
    answered
        Told of each response.
    """

    log: Log
    answered: Callable[[dict[str, Any]], None]
    _urls: dict[str, str] = field(default_factory=dict)
    _open: dict[str, Exchange] = field(default_factory=dict)

    def handlers(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        """Events of the Network domain, and who takes them."""
        return {
            "webSocketCreated": self._created,
            "webSocketWillSendHandshakeRequest": self._request,
            "webSocketHandshakeResponseReceived": self._response,
            "webSocketFrameError": self._failed,
        }

    def settle(self) -> None:
        """Mark those that nobody answered."""
        for exchange in self._open.values():
            if not exchange.answered and exchange.error is None:
                exchange.error = "no answer before the capture ended"

    def _created(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["url"]

    def _request(self, event: dict[str, Any]) -> None:
        url = self._urls.pop(event["requestId"], None)
        if url is not None:
            exchange = self.log.socket(event, url)
            if exchange is not None:
                self._open[event["requestId"]] = exchange

    def _response(self, event: dict[str, Any]) -> None:
        exchange = self._open.get(event["requestId"])
        if exchange is not None:
            exchange.response = response = {**event["response"], "url": exchange.url}
            exchange.received_text = response.get("headersText")
            self.answered(response)

    def _failed(self, event: dict[str, Any]) -> None:
        exchange = self._open.get(event["requestId"])
        if exchange is not None and not exchange.answered:
            exchange.error = event["errorMessage"]
