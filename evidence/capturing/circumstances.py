"""The circumstances of a capture: with what, where, when, by whom and why; how clean it was.

Courts ask whether the machine was clean and whether its clock was right. What can be found
out is found out before the visit and stands in ``extra/capture.json``; what was not asked,
because nobody configured whom to ask, is said to be so.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import hashlib
import json
import os
import platform
import socket
import struct
import subprocess
import time
import urllib.request
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession

from registry.settings import Settings

SOFTWARE = f"touchstone {distribution('touchstone').version}"
NOT_ASKED = "not asked: no address is configured"

EXCERPT_BYTES = 4_096
ANSWER_BYTES = 2_048
ASK_SECONDS = 5.0

_HOSTS, _RESOLVER = Path("/etc/hosts"), Path("/etc/resolv.conf")
#: Seconds from the epoch of NTP (1900) to that of Unix (RFC 5905, figure 4).
_NTP_EPOCH = 2_208_988_800


@cache
def commit() -> str | None:
    """The commit that this software was built or is run from; None if nothing says so."""
    stated = distribution("touchstone").read_text("direct_url.json")
    if stated:
        found = json.loads(stated).get("vcs_info", {}).get("commit_id")
        if found:
            return str(found)
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True, text=True, timeout=ASK_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


async def of_software() -> dict[str, Any]:
    """What does the capturing, and on what."""
    return {
        "software": SOFTWARE,
        "commit": await asyncio.to_thread(commit),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "host_time_zone": "/".join(dict.fromkeys(time.tzname)),
    }


async def of_browser(browser: Browser, session: CDPSession) -> dict[str, Any]:
    """Which browser, started how, and what it tells every site about itself."""
    version = await session.send("Browser.getVersion")
    shown = await session.send(
        "Runtime.evaluate",
        {
            "expression": "({locale: navigator.language, languages: navigator.languages,"
            " time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,"
            " platform: navigator.platform, device_pixel_ratio: devicePixelRatio,"
            " webdriver: navigator.webdriver})",
            "returnByValue": True,
        },
    )
    return {
        "browser": f"Chromium {version['product'].rpartition('/')[2]}",
        "browser_revision": version["revision"],
        "user_agent": version["userAgent"],
        "command_line": await _command_line(browser),
        **shown["result"]["value"],
    }


async def _command_line(browser: Browser) -> list[str] | None:
    """How the browser's process was started, as the system tells; None where it does not."""
    session = await browser.new_browser_cdp_session()
    try:
        told = await session.send("SystemInfo.getProcessInfo")
    finally:
        await session.detach()
    for process in told["processInfo"]:
        if process["type"] == "browser":
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{process['id']}/cmdline").read_bytes()
                return line.decode("utf-8", "replace").rstrip("\0").split("\0")
    return None


async def of_cleanness(context: BrowserContext, session: CDPSession) -> dict[str, Any]:
    """The check made before the visit: what could have changed what is seen."""
    cookies = await context.cookies()
    state = await context.storage_state()
    targets = await session.send("Target.getTargets")
    extensions = sorted(
        {
            target["url"]
            for target in targets["targetInfos"]
            if target["url"].startswith("chrome-extension:")
        }
    )
    return {
        "checked_at": _stamp(datetime.now(UTC)),
        "fresh_profile": not cookies and not state["origins"],
        "cookies": len(cookies),
        "origins_with_storage": len(state["origins"]),
        "extensions": extensions,
        "hosts_file": file_as_found(_HOSTS),
        "resolver": file_as_found(_RESOLVER),
    }


def file_as_found(path: Path) -> dict[str, Any]:
    """A small file of the system: its hash, and how it begins."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return {"path": str(path), "error": error.strerror or str(error)}
    return {
        "path": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "excerpt": data[:EXCERPT_BYTES].decode("utf-8", "replace"),
    }


async def address_of(url: str) -> dict[str, Any]:
    """What this machine's resolver says of the host that is asked for."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname or "", port, type=socket.SOCK_STREAM
        )
    except OSError as error:
        return {"asked": url, "host": parts.hostname, "resolved": [], "error": str(error)}
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return {"asked": url, "host": parts.hostname, "resolved": addresses}


async def of_place_and_time(settings: Settings | None) -> dict[str, Any]:
    """The address with which this machine goes out, and how right its clock is."""
    exit_url = settings.exit_address_url if settings else None
    clock_url = settings.clock_reference_url if settings else None
    exit_address, clock = await asyncio.gather(
        asyncio.to_thread(_ask_exit, exit_url) if exit_url else _not_asked(),
        asyncio.to_thread(_ask_clock, clock_url) if clock_url else _not_asked(),
    )
    return {"exit_address": exit_address, "clock": clock}


async def _not_asked() -> str:
    return NOT_ASKED


def _ask_exit(url: str) -> dict[str, Any]:
    """What a service that the operator chose says of our address, and of where it lies."""
    asked = _stamp(datetime.now(UTC))
    try:
        with urllib.request.urlopen(url, timeout=ASK_SECONDS) as answer:
            text = answer.read(ANSWER_BYTES).decode("utf-8", "replace").strip()
    except (OSError, ValueError) as error:
        return {"asked": url, "at": asked, "error": str(error)}
    try:
        said: Any = json.loads(text)
    except ValueError:
        said = text
    return {"asked": url, "at": asked, "answer": said}


def _ask_clock(url: str) -> dict[str, Any]:
    """How far this machine's clock is from a reference, in seconds; positive if it is slow."""
    asked = _stamp(datetime.now(UTC))
    try:
        offset, uncertainty = _ntp(url) if url.startswith("ntp:") else _http_date(url)
    except (OSError, ValueError, struct.error) as error:
        return {"reference": url, "at": asked, "error": str(error) or type(error).__name__}
    return {
        "reference": url,
        "at": asked,
        "offset_seconds": round(offset, 4),
        "uncertainty_seconds": round(uncertainty, 4),
    }


def _http_date(url: str) -> tuple[float, float]:
    """By the Date of an answer (RFC 9110, section 6.6.1), which has no parts of a second."""
    request = urllib.request.Request(url, method="HEAD")
    before = time.time()
    with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
        after = time.time()
        said = answer.headers.get("Date")
    if not said:
        raise ValueError("the answer has no Date")
    theirs = email.utils.parsedate_to_datetime(said).timestamp() + 0.5
    return theirs - (before + after) / 2, 0.5 + (after - before) / 2


def _ntp(url: str) -> tuple[float, float]:
    """By one question as a client of SNTP (RFC 5905, section 14)."""
    parts = urlsplit(url)
    family, kind, protocol, _, address = socket.getaddrinfo(
        parts.hostname or "", parts.port or 123, type=socket.SOCK_DGRAM
    )[0]
    token = os.urandom(8)
    with socket.socket(family, kind, protocol) as asking:
        asking.settimeout(ASK_SECONDS)
        asking.connect(address)
        before = time.time()
        asking.send(b"\x23" + bytes(39) + token)
        answer = asking.recv(512)
        after = time.time()
    if len(answer) < 48 or answer[24:32] != token or answer[0] & 7 != 4 or answer[1] == 0:
        raise ValueError("this is no answer to our question")
    received, sent = (_ntp_seconds(answer[at : at + 8]) for at in (32, 40))
    offset = ((received - before) + (sent - after)) / 2
    return offset, ((after - before) - (sent - received)) / 2


def _ntp_seconds(data: bytes) -> float:
    whole, parts = struct.unpack(">II", data)
    return float(whole - _NTP_EPOCH + parts / 2**32)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
