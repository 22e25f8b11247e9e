"""The rendered document as one file that needs no other: what the visitor saw, without scripts.

The page writes itself (`dom.js`, in a world of its own) with tokens where a resource belongs;
here the tokens become `data:` addresses of what was recorded. What was not recorded stays as
an address that the document's own policy forbids to load.
"""

from __future__ import annotations

import base64
import html
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from evidence.capturing.exchanges import Exchange
from evidence.capturing.isolated import IsolatedWorld

MAX_CHARACTERS = 20_000_000
MAX_RESOURCE_BYTES = 8 << 20
MAX_INLINED_BYTES = 48 << 20
MAX_IMPORTS_DEEP = 4

_SCRIPT = files("evidence.capturing").joinpath("dom.js").read_text(encoding="utf-8")
_URL = re.compile(r"""url\(\s*(?:"([^"\\\n]*)"|'([^'\\\n]*)'|([^"'()\s\\]+))\s*\)""")
_IMPORT = re.compile(
    r"""@import\s+(?:url\(\s*)?["']?([^"'()\s;]+)["']?\s*\)?([^;{}]*);""", re.IGNORECASE
)
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as the page wrote it, its resources still to be put in."""

    nonce: str
    html: str
    resources: list[dict[str, Any]]
    dropped: dict[str, int]


async def render(world: IsolatedWorld) -> Rendered:
    """Have the page write itself."""
    nonce = f"touchstone-{secrets.token_hex(8)}-"
    said = await world.call(_SCRIPT, nonce, MAX_CHARACTERS)
    return Rendered(nonce, said["html"], said["resources"], said["dropped"])


def inline(rendered: Rendered, exchanges: Iterable[Exchange]) -> str:
    """The document with everything in it that was recorded."""
    store = _Store(exchanges)

    def put(match: re.Match[str]) -> str:
        place = int(match[1])
        if place >= len(rendered.resources):
            return ""
        resource = rendered.resources[place]
        kind, value, base = resource["kind"], str(resource["value"]), str(resource["base"])
        depth = int(resource["depth"])
        if kind == "file":
            return _escaped(store.data_url(_join(base, value)), depth + 1)
        if kind == "sheet":
            return _escaped(_in_style(store.sheet(_join(base, value))), depth)
        if kind == "style":
            return _escaped(_in_style(store.css(value, base)), depth)
        return _escaped(store.css(value, base), depth)

    return re.sub(re.escape(rendered.nonce) + r"(\d{1,7});", put, rendered.html)


def _escaped(text: str, depth: int) -> str:
    for _ in range(depth):
        text = html.escape(text)
    return text


def _in_style(css: str) -> str:
    """CSS that cannot end the element that it stands in."""
    return re.sub(r"</(?=style)", r"<\\/", css, flags=re.IGNORECASE)


def _join(base: str, url: str) -> str:
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return ""


@dataclass
class _Store:
    """What was recorded, by address."""

    exchanges: Iterable[Exchange]
    _bodies: dict[str, tuple[Path, str]] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _spent: int = 0

    def __post_init__(self) -> None:
        moved: dict[str, str] = {}
        for exchange in self.exchanges:
            url = urldefrag(exchange.url)[0]
            headers = {name.lower(): value for name, value in exchange.headers_received()}
            if 300 <= exchange.status < 400 and "location" in headers:
                moved[url] = urldefrag(_join(url, headers["location"]))[0]
            elif exchange.body is not None and exchange.truncated is None:
                self._bodies[url] = exchange.body, headers.get("content-type", "")
        for url in moved:
            target, hops = moved[url], 0
            while target in moved and hops < 20:
                target, hops = moved[target], hops + 1
            if target in self._bodies:
                self._bodies.setdefault(url, self._bodies[target])

    def data_url(self, url: str) -> str:
        """A `data:` address of what was recorded under an address, or the address itself."""
        url, fragment = urldefrag(url)
        mark = f"#{fragment}" if fragment else ""
        if not url.startswith(("http:", "https:")):
            return url + mark if url.startswith("data:") else ""
        if url not in self._known:
            data = self._read(url)
            if data is None:
                return url
            found = _MEDIA_TYPE.match(self._bodies[url][1])
            kind = found[0] if found else "application/octet-stream"
            self._known[url] = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
        else:
            # Each time it is shown, it is written again: a page may show one a million times.
            self._spent += len(self._known[url])
            if self._spent > MAX_INLINED_BYTES:
                return url
        return self._known[url] + mark

    def sheet(self, url: str, deep: int = 0) -> str:
        """A stylesheet, with all that it names; empty if it was not recorded."""
        url = urldefrag(url)[0]
        data = self._read(url)
        if data is None:
            return f"/* not recorded: {url.replace('*/', '')} */"
        return self.css(data.decode("utf-8", "replace").removeprefix("\ufeff"), url, deep)

    def css(self, css: str, base: str, deep: int = 0) -> str:
        """CSS with its files put in, and the sheets that it imports."""
        if deep <= MAX_IMPORTS_DEEP:
            css = _IMPORT.sub(lambda found: self._imported(found, base, deep), css)

        def put(match: re.Match[str]) -> str:
            url = next(group for group in match.groups() if group is not None)
            if url.startswith(("data:", "#")):
                return match[0]
            return f'url("{self.data_url(_join(base, url))}")'.replace("\\", "%5C")

        return _URL.sub(put, css)

    def _imported(self, found: re.Match[str], base: str, deep: int) -> str:
        sheet = self.sheet(_join(base, found[1]), deep + 1)
        media = found[2].strip()
        return f"@media {media} {{\n{sheet}\n}}" if media else sheet

    def _read(self, url: str) -> bytes | None:
        if url not in self._bodies:
            return None
        path = self._bodies[url][0]
        size = path.stat().st_size
        if size > MAX_RESOURCE_BYTES or self._spent + size > MAX_INLINED_BYTES:
            return None
        self._spent += size
        return path.read_bytes()
