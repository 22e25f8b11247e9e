"""Capturing in a real browser: everything that was sent is in the bundle, and nothing else."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.network.gate import Forbidden
from evidence.capturing.capture import Capture, CaptureFailed
from evidence.verifying import verify
from tests.evidence import visits
from tests.evidence.site import BIG, Site, serve


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


def visit(url: str, folder: Path, *allowed: str) -> Capture:
    return visits.visit(url, folder, *allowed).capture


@pytest.fixture(scope="module")
def made(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return visit(f"{site.url}/item", tmp_path_factory.mktemp("capture"))


def records(made: Capture) -> list[tuple[str, str, Any, Any, bytes]]:
    with zipfile.ZipFile(made.sealed.path) as bundle, bundle.open("archive/data.warc.gz") as warc:
        return [
            (
                record.rec_type,
                record.rec_headers.get_header("WARC-Target-URI") or "",
                record.rec_headers,
                record.http_headers,
                record.content_stream().read(),
            )
            for record in ArchiveIterator(warc)
        ]


def test_every_answer_of_the_server_is_in_the_archive(made: Capture, site: Site) -> None:
    payloads: dict[str, bytes] = {}
    responses = {}
    for kind, url, warc, http, body in records(made):
        if kind in ("response", "revisit"):
            # A payload that came before is not repeated.
            body = payloads.setdefault(warc.get_header("WARC-Payload-Digest"), body)
            responses[url.removeprefix(site.url), int(http.get_statuscode())] = body
    # A window beside the page is closed at once; what it began to ask is not the page's.
    beside = ("/favicon.ico", "/popup")
    sent = {(path, status): body for _, path, status, body in site.sent if path not in beside}
    assert {("/moved.jpg", 302), ("/lost.jpg", 404), ("/lazy.jpg", 200)} <= set(sent)
    for key, body in sent.items():
        assert responses[key] == body, key
    assert responses["/big.bin", 200] == BIG


def test_the_records_say_what_was_on_the_wire(made: Capture, site: Site) -> None:
    found = records(made)
    page = next(r for r in found if r[0] == "response" and r[1] == f"{site.url}/item")
    _, _, warc, http, body = page
    assert [v for k, v in http.headers if k.lower() == "set-cookie"] == ["a=1", "b=2"]
    assert http.get_header("X-Archive-Orig-Content-Encoding") == "gzip"
    assert http.get_header("Content-Encoding") is None
    assert http.get_header("Content-Length") == str(len(body))
    assert warc.get_header("WARC-IP-Address") == "127.0.0.1"
    assert warc.get_header("WARC-Protocol") == "http/1.1"
    assert warc.get_header("WARC-Payload-Digest") == f"sha256:{hashlib.sha256(body).hexdigest()}"
    posted = next(r for r in found if r[0] == "request" and r[1] == f"{site.url}/api")
    assert posted[4] == b"q=velaro"
    assert posted[3].protocol == "POST"
    kinds = [r[0] for r in found]
    assert kinds[0] == "warcinfo"
    assert kinds.count("request") == made.sealed.exchanges
    assert made.sealed.incomplete == 0


def test_the_bundle_has_pictures_text_and_circumstances(made: Capture, site: Site) -> None:
    assert (made.status, made.http_status) == ("complete", 200)
    with zipfile.ZipFile(made.sealed.path) as bundle:
        names = set(bundle.namelist())
        about = json.loads(bundle.read("extra/capture.json"))
        pages = [json.loads(line) for line in bundle.read("pages/pages.jsonl").splitlines()]
        assert b"Velaro" in bundle.read("dom/01-page.html")
    assert "screenshots/01-page.png" in names
    assert about["why"] == "a test"
    assert about["browser"].startswith("Chromium ")
    assert "维拉罗" in pages[1]["text"]
    assert pages[1]["title"] == "Velaro Aria Tote & more"
    from PIL import Image

    with Image.open(made.sealed.screenshot) as shot:
        assert shot.size[0] >= 1280
        assert shot.size[1] >= 4000


def test_public_tools_agree(made: Capture, tmp_path: Path) -> None:
    report = verify(made.sealed.path, expected_sha256=made.sealed.sha256)
    assert report.ok, [check for check in report.checks if not check.ok]
    with zipfile.ZipFile(made.sealed.path) as bundle:
        bundle.extract("archive/data.warc.gz", tmp_path)
    scripts = Path(sys.executable).parent
    for command in (
        ["warcio", "check", "-v", str(tmp_path / "archive" / "data.warc.gz")],
        ["wacz", "validate", "-f", str(made.sealed.path)],
    ):
        done = subprocess.run(
            [scripts / command[0], *command[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "failed" not in done.stdout.lower()


def test_what_is_not_the_listing_never_passes_for_it(site: Site, tmp_path: Path) -> None:
    assert visit(f"{site.url}/nothing", tmp_path / "gone").status == "gone"
    assert visit(f"{site.url}/wall", tmp_path / "wall").status == "captcha"
    with pytest.raises(CaptureFailed, match="503"):
        visit(f"{site.url}/broken", tmp_path / "broken")
    with pytest.raises(CaptureFailed):
        visit(f"{site.url}/download", tmp_path / "download")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(CaptureFailed, match="refused"):
            visit(f"http://127.0.0.1:{closed.getsockname()[1]}/", tmp_path / "dead")


def test_a_page_that_computes_for_ever_ends_the_visit(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.capturing.settling.REST_SECONDS", 4.0)
    monkeypatch.setattr("evidence.capturing.capture.LOOK_SECONDS", 2.0)
    with pytest.raises(CaptureFailed, match="busy"):
        visit(f"{site.url}/busy", tmp_path / "busy")


class Listener:
    """A server to which nothing may come."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(1)
            try:
                self.heard.append(connection.recv(200))
            except OSError:
                self.heard.append(b"(connected)")
            connection.close()


def test_nothing_reaches_a_forbidden_address(site: Site, tmp_path: Path) -> None:
    listener = Listener()
    allowed = site.url.removeprefix("http://")
    try:
        with pytest.raises(CaptureFailed):
            visit(f"{site.url}/to/{listener.address}", tmp_path / "redirect", allowed)
        leaky = visit(f"{site.url}/leak/{listener.address}", tmp_path / "leak", allowed)
        with zipfile.ZipFile(leaky.sealed.path) as bundle:
            about = json.loads(bundle.read("extra/capture.json"))
    finally:
        listener.socket.close()
    assert listener.heard == []
    assert any(listener.address in refused for refused in about["forbidden"])
    with pytest.raises(Forbidden):
        visit(f"{site.url}/item", tmp_path / "private", "192.0.2.1")
