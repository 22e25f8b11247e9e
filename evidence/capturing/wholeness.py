"""Whether an answer, or what was posted, is here as it was sent."""

from __future__ import annotations

from pathlib import Path

from evidence.capturing.bodies import Stream
from evidence.capturing.exchanges import Exchange


def length_of(headers: list[tuple[str, str]]) -> int:
    """What Content-Length says; 0 if it says nothing."""
    value = next((v for k, v in headers if k.lower() == "content-length"), "")
    return int(value) if value.isdigit() else 0


def encoded(text: str, charset: str) -> bytes:
    """The bytes of a text as it was sent; the browser hands it out decoded.

    They are right only if their number is: a wrong charset or a broken character changes it.
    """
    try:
        return text.encode(charset or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return text.encode("utf-8", "surrogatepass")


def lacks(exchange: Exchange, stream: Stream | None) -> bool:
    """Whether bytes of an answer that ended are not here.

    The browser stops reading what it can make nothing of, a broken picture for one, and calls
    it finished.
    """
    announced = length_of(exchange.headers_received())
    if stream is None or not stream.whole or not stream.expected:
        return announced > 0 or (stream is not None and stream.expected > 0)
    if exchange.received("Content-Encoding"):
        return 0 < stream.carried < announced
    return stream.expected < announced


def all_came(exchange: Exchange, stream: Stream | None) -> bool:
    """Whether an answer was complete before the page lost interest in it."""
    if not exchange.may_have_body():
        return True
    if stream is None or not stream.whole or exchange.received("Content-Encoding"):
        return False
    return 0 < length_of(exchange.headers_received()) == stream.expected


def check_posted(exchange: Exchange) -> None:
    """Mark a request whose body was not told as it was sent: files, streams."""
    if exchange.request_truncated is None and exchange.sent_headers is not None:
        posted = exchange.posted
        size = posted.stat().st_size if isinstance(posted, Path) else len(posted)
        if size != length_of(exchange.headers_sent()):
            exchange.request_truncated = "unspecified"
