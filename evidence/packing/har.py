"""The exchanges of a visit as HAR 1.2, which every browser's developer tools open.

Bodies are not repeated here: they lie in the WARC, and each entry says under which address
and digest. Source: http://www.softwareishard.com/blog/har-12-spec/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from evidence.capturing.exchanges import Exchange
from evidence.packing.wacz import Page

MAX_POSTED_CHARACTERS = 100_000


def write_har(
    path: Path,
    exchanges: Iterable[Exchange],
    pages: Sequence[Page],
    *,
    software: str,
    version: str,
    browser: str,
) -> None:
    """Write the file.

    Parameters
    ----------
    pages
        The steps of the visit in their order; an exchange belongs to the last one that was
        not over when it began.
    """
    name, _, number = browser.partition(" ")
    log = {
        "version": "1.2",
        "creator": {"name": software, "version": version},
        "browser": {"name": name, "version": number},
        "pages": [
            {
                "startedDateTime": _time(page.ts),
                "id": str(page.id),
                "title": page.title or page.url,
                "pageTimings": {"onContentLoad": -1, "onLoad": -1},
            }
            for page in pages
        ],
        "entries": [_entry(exchange, pages) for exchange in exchanges],
        "comment": "bodies: archive/data.warc.gz",
    }
    path.write_text(json.dumps({"log": log}, ensure_ascii=False, indent=1), encoding="utf-8")


def _entry(exchange: Exchange, pages: Sequence[Page]) -> dict[str, Any]:
    timings = _timings(exchange)
    entry: dict[str, Any] = {
        "startedDateTime": _time(exchange.started_at),
        "time": sum(value for value in timings.values() if value > 0),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": timings,
    }
    page = next((page for page in pages if exchange.started_at <= page.ts), None)
    if page is not None:
        entry["pageref"] = str(page.id)
    address = (exchange.response or {}).get("remoteIPAddress")
    if address:
        entry["serverIPAddress"] = str(address).strip("[]")
    if exchange.error or exchange.truncated:
        entry["comment"] = exchange.error or f"truncated: {exchange.truncated}"
    return entry


def _request(exchange: Exchange) -> dict[str, Any]:
    headers = exchange.headers_sent()
    posted = exchange.request_body
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": _protocol(exchange),
        "cookies": [
            cookie
            for name, value in headers
            if name.lower() == "cookie"
            for cookie in _cookies(value)
        ],
        "headers": [{"name": name, "value": value} for name, value in headers],
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(posted),
    }
    if posted:
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        text = posted[:MAX_POSTED_CHARACTERS].decode("utf-8", "replace")
        request["postData"] = {"mimeType": kind, "params": [], "text": text}
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response or {}
    headers = exchange.headers_received()
    by_name = {name.lower(): value for name, value in headers}
    size = exchange.body.stat().st_size if exchange.body else 0
    return {
        "status": exchange.status,
        "statusText": str(response.get("statusText") or ""),
        "httpVersion": _protocol(exchange),
        "cookies": [
            cookie
            for name, value in headers
            if name.lower() == "set-cookie"
            for cookie in _cookies(value)[:1]
        ],
        "headers": [{"name": name, "value": value} for name, value in headers],
        "content": {
            "size": size,
            "mimeType": by_name.get("content-type") or str(response.get("mimeType") or ""),
        },
        "redirectURL": by_name.get("location", ""),
        "headersSize": -1,
        "bodySize": int(by_name["content-length"])
        if by_name.get("content-length", "").isdigit()
        else -1,
    }


def _cookies(text: str) -> list[dict[str, str]]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text)
    except CookieError:
        return []
    return [{"name": name, "value": morsel.value} for name, morsel in jar.items()]


def _timings(exchange: Exchange) -> dict[str, float]:
    """Milliseconds: what the browser told, -1 for what it did not."""
    told = (exchange.response or {}).get("timing") or {}
    spans = {
        "dns": ("dnsStart", "dnsEnd"),
        "connect": ("connectStart", "connectEnd"),
        "ssl": ("sslStart", "sslEnd"),
        "send": ("sendStart", "sendEnd"),
        "wait": ("sendEnd", "receiveHeadersEnd"),
    }
    found = {
        name: round(told[last] - told[first], 3)
        if told.get(first, -1) >= 0 and told.get(last, -1) >= told[first]
        else -1.0
        for name, (first, last) in spans.items()
    }
    # These three must be there and may not be -1.
    return found | {
        "send": max(0.0, found["send"]),
        "wait": max(0.0, found["wait"]),
        "receive": 0.0,
    }


def _protocol(exchange: Exchange) -> str:
    return str((exchange.response or {}).get("protocol") or "unknown").upper()


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
