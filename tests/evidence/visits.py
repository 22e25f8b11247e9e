"""Captures for the tests, all in one browser process."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Browser

from crawler.browsing.browser import find_chromium
from crawler.marketplaces import KINDS
from crawler.network.gate import Gate
from evidence.capturing.browsing import shared
from evidence.capturing.capture import Capture, Order, capture_in
from evidence.signing.signer import KeySigner
from registry.settings import Settings

SIGNER = KeySigner(ec.generate_private_key(ec.SECP384R1()))


@dataclass(frozen=True)
class Made:
    """A capture and what is in its bundle."""

    capture: Capture

    def read(self, name: str) -> bytes:
        """A member of the bundle."""
        with zipfile.ZipFile(self.capture.sealed.path) as bundle:
            return bundle.read(name)

    @cached_property
    def names(self) -> list[str]:
        """Names of the members."""
        with zipfile.ZipFile(self.capture.sealed.path) as bundle:
            return bundle.namelist()

    @cached_property
    def about(self) -> dict[str, Any]:
        """``extra/capture.json``."""
        about: dict[str, Any] = json.loads(self.read("extra/capture.json"))
        return about


def visit(
    url: str,
    folder: Path,
    *allowed: str,
    kind: str | None = None,
    settings: Settings | None = None,
) -> Made:
    """Capture a page; loopback is allowed unless something else is."""
    folder.mkdir(exist_ok=True)
    order = Order(
        url,
        Gate(allowed or ("127.0.0.1",)),
        folder,
        {"operator": "tester", "why": "a test"},
        SIGNER,
        KINDS[kind] if kind else None,
        settings,
    )

    async def work(browser: Browser) -> Capture:
        return await capture_in(browser, order)

    return Made(shared(find_chromium(None)).run(work))
