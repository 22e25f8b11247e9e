"""Uploads over connections that break: all of it arrives, and as it was sent."""

from __future__ import annotations

import base64
import hashlib
import random
import select as sockets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from console.web import uploads as kept
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Exhibit, PurchaseFile
from registry.settings import Settings
from tests.console.conftest import Console
from tests.console.test_tasks import browser, client, code_of, console, purchase_id

__all__ = ["browser", "console", "purchase_id"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TUS = {"Tus-Resumable": "1.0.0"}
STREAM = {**TUS, "Content-Type": "application/offset+octet-stream"}


def begin(own: httpx.Client, purchase: UUID, length: int, kind: str = "opening") -> str:
    told = ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}"
        for name, value in (("filename", "unboxing.mp4"), ("kind", kind))
    )
    made = own.post(
        f"/tasks/{purchase}/uploads",
        headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": told},
    )
    assert made.status_code == 201, made.text
    return made.headers["location"]


def here(own: httpx.Client, place: str) -> int:
    return int(own.head(place, headers=TUS).headers["upload-offset"])


def test_the_protocol(
    console: Console, database: Database, settings: Settings, purchase_id: UUID
) -> None:
    data = random.Random(1).randbytes(300_000)
    with client(console, database, "Bea Buyer") as own:
        offered = own.options(f"/tasks/{purchase_id}/uploads").headers
        assert offered["tus-extension"] == "creation,termination,checksum"
        place = begin(own, purchase_id, len(data))

        def patch(offset: int, body: bytes, **headers: str) -> httpx.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return own.patch(
                place, content=body, headers={**STREAM, "Upload-Offset": str(offset), **named}
            )

        assert own.patch(place, content=data, headers={"Upload-Offset": "0"}).status_code == 412
        assert patch(5, data[:10]).status_code == 409
        assert patch(0, data[:10], Content_Type="text/plain").status_code == 415
        assert patch(0, data + b"x").status_code == 413
        assert here(own, place) == 0
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        right = base64.b64encode(hashlib.sha256(data[:100_000]).digest()).decode()
        assert patch(0, data[:100_000], Upload_Checksum=f"sha256 {wrong}").status_code == 460
        assert here(own, place) == 0
        done = patch(0, data[:100_000], Upload_Checksum=f"sha256 {right}")
        assert (done.status_code, done.headers["upload-offset"]) == (204, "100000")
        sha256 = hashlib.sha256(data).hexdigest()
        early = own.post(f"{place}/keep", data={"sent_sha256": sha256})
        assert early.status_code == 409
        with client(console, database, "Eve Examiner") as eve:
            for answer in (eve.head(place, headers=TUS), eve.delete(place, headers=TUS)):
                assert answer.status_code == 404
        assert patch(100_000, data[100_000:]).status_code == 204
        kept_at = f"/tasks/{purchase_id}/uploads/kept/{sha256}"
        assert own.get(kept_at).status_code == 404
        assert own.post(f"{place}/keep", data={"sent_sha256": sha256}).status_code == 204
        assert own.head(place, headers=TUS).status_code == 404
        # Had that answer been lost, the page would know that there is nothing to send again.
        assert own.get(kept_at).status_code == 204
        with client(console, database, "Eve Examiner") as eve:
            assert eve.get(kept_at).status_code == 404
        # Sent as something else: refused, and taken away.
        place = begin(own, purchase_id, 5)
        assert patch(0, b"12345").status_code == 204
        other = own.post(f"{place}/keep", data={"sent_sha256": "0" * 64})
        assert (other.status_code, "send it again" in other.text) == (422, True)
        place = begin(own, purchase_id, 5)
        assert own.delete(place, headers=TUS).status_code == 204
        for _ in range(kept.MOST_AT_ONCE):
            begin(own, purchase_id, 5)
        with pytest.raises(AssertionError, match="under way"):
            begin(own, purchase_id, 5)
    with database.reading() as session:
        row = session.scalars(select(PurchaseFile)).one()
        assert (row.sha256, row.sent_sha256, row.kind) == (sha256, sha256, "opening")
        exhibit = session.get_one(Exhibit, row.exhibit_id)
        assert (exhibit.name, exhibit.size, exhibit.media_type) == (
            "unboxing.mp4", 300_000, "video/mp4",
        )  # fmt: skip
    assert len(list((settings.data_dir / "uploads").iterdir())) == kept.MOST_AT_ONCE


def test_what_came_before_the_connection_broke_is_kept(
    console: Console, database: Database, purchase_id: UUID
) -> None:
    with client(console, database, "Bea Buyer") as own:
        place = begin(own, purchase_id, 1_000_000)
        parts = urlsplit(console.url)
        with socket.create_connection((str(parts.hostname), int(parts.port or 80))) as raw:
            head = (
                f"PATCH {place} HTTP/1.1\r\nHost: {parts.netloc}\r\nOrigin: {console.url}\r\n"
                f"Cookie: touchstone_code={own.cookies['touchstone_code']}\r\n"
                "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
                "Upload-Offset: 0\r\nContent-Length: 1000000\r\n\r\n"
            )
            raw.sendall(head.encode() + b"x" * 400_000)
        while (arrived := here(own, place)) < 400_000:
            pass
        assert arrived == 400_000


@contextmanager
def breaking(url: str, cuts: int, after: int) -> Iterator[tuple[str, list[int]]]:
    """A way to the console that breaks so many connections once so much went over each."""
    parts = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    cut: list[int] = []
    over = threading.Event()

    def carry(near: socket.socket) -> None:
        went = 0
        with near, socket.create_connection((str(parts.hostname), int(parts.port or 80))) as far:
            while not over.is_set():
                ready, _, _ = sockets.select([near, far], [], [], 0.2)
                for one in ready:
                    try:
                        data = one.recv(65536)
                        (far if one is near else near).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
                    went += len(data) if one is near else 0
                    if went > after and len(cut) < cuts:
                        cut.append(went)
                        return

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=carry, args=(near,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", cut
    finally:
        over.set()
        listener.close()


@pytest.mark.timeout(300)
def test_a_video_of_300_megabytes_arrives_whole_over_a_connection_cut_five_times(
    browser: Browser,
    console: Console,
    database: Database,
    blobs: Blobs,
    purchase_id: UUID,
    tmp_path: Path,
) -> None:
    video = tmp_path / "unboxing.mp4"
    dice, digest = random.Random(7), hashlib.sha256()
    with video.open("wb") as stream:
        for piece in (*(dice.randbytes(1 << 20) for _ in range(300)), b"end"):
            stream.write(piece)
            digest.update(piece)
    page = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True).new_page()
    with breaking(console.url, cuts=5, after=30 << 20) as (url, cut):
        page.goto(f"{url}/tasks")
        page.get_by_label("Your code").fill(code_of(database, "Bea Buyer"))
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/tasks/{purchase_id}")
        page.get_by_label("What it shows").select_option("opening")
        page.get_by_label("Photograph, video or paper").set_input_files(video)
        page.get_by_role("button", name="Send it").click()
        expect(page.locator(".files li")).to_have_count(1, timeout=240_000)
    assert len(cut) == 5
    with database.reading() as session:
        row = session.scalars(select(PurchaseFile)).one()
        exhibit = session.get_one(Exhibit, row.exhibit_id)
    assert row.sha256 == row.sent_sha256 == digest.hexdigest()
    assert exhibit.blob is not None
    with blobs.open(exhibit.blob) as kept_bytes:
        again = hashlib.sha256()
        while chunk := kept_bytes.read(1 << 20):
            again.update(chunk)
        assert again.hexdigest() == row.sha256
