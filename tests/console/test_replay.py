"""Replaying a capture: it looks as it did, and nothing that it does reaches anybody."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.async_api import Frame, Page, async_playwright
from sqlalchemy import select
from warcio.archiveiterator import ArchiveIterator

from console.serving import Served, listen
from crawler.browsing.browser import find_chromium
from crawler.network.gate import Gate
from crawler.network.gateway import Gateway, open_gateway
from evidence.capturing.capture import capture
from evidence.signing.signer import KeyFolder
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Capture, LedgerEntry
from registry.models.base import utcnow
from registry.settings import Settings
from tests.console.hostile_shop import PATIENCE, PICTURE_SIDE, open_shop
from tests.console.seed import Seeded, seed
from tests.console.test_browser import FLAGS

# A busy machine may take its time.
get = partial(httpx.get, timeout=60)
post = partial(httpx.post, timeout=60)

# What a browser sees does not depend on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Visited:
    """A captured page, whose server is down."""

    url: str
    bundle: bytes
    screenshot: bytes


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visited:
    keys = KeyFolder(tmp_path_factory.mktemp("installation") / "keys")
    keys.create()
    with open_shop() as shop:
        made = asyncio.run(
            capture(
                f"{shop.url}/item",
                gate=Gate(["127.0.0.1"]),
                executable=find_chromium(None),
                folder=tmp_path_factory.mktemp("capture"),
                circumstances={"operator": "tester", "why": "a test"},
                signer=keys.open(),
            )
        )
    with zipfile.ZipFile(made.sealed.path) as package:
        records = ArchiveIterator(package.open("archive/data.warc.gz"))
        kinds = [record.rec_type for record in records]
    assert "revisit" in kinds, "one of the pictures is kept as: the same as that one"
    return Visited(
        made.final_url, made.sealed.path.read_bytes(), made.sealed.screenshot.read_bytes()
    )


@dataclass(frozen=True)
class Origins:
    """Console and replay origin, being served; one capture."""

    console: str
    replay: str
    capture: str

    @property
    def page(self) -> str:
        """The capture's page in the console."""
        return f"{self.console}/captures/{self.capture}"

    @property
    def hosts(self) -> list[str]:
        """Host and port of each."""
        return [origin.removeprefix("http://") for origin in (self.console, self.replay)]


@contextmanager
def serving(settings: Settings, database: Database, blobs: Blobs) -> Iterator[tuple[str, str]]:
    sockets = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    served = Served(settings, database, blobs, "127.0.0.1", *sockets)
    origins = [f"http://127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    thread = Thread(target=served.run)
    thread.start()
    try:
        yield origins[0], origins[1]
    finally:
        served.stop()
        thread.join()


@pytest.fixture
def seeded(database: Database, blobs: Blobs, visited: Visited) -> Seeded:
    return seed(
        database,
        blobs,
        bundle=visited.bundle,
        bundle_sha256=hashlib.sha256(visited.bundle).hexdigest(),
        screenshot=visited.screenshot,
        flagged=13,
    )


@pytest.fixture
def origins(
    settings: Settings, database: Database, blobs: Blobs, seeded: Seeded, visited: Visited
) -> Iterator[Origins]:
    with database.writing() as session:
        session.get_one(Capture, seeded.captures[0]).url = visited.url
    with serving(settings, database, blobs) as (console, replay):
        yield Origins(console, replay, str(seeded.captures[0]))


class Deaf:
    """Where the shop was: hears whoever still tries to reach it, past any proxy."""

    def __init__(self, port: int) -> None:
        self.stream = socket.create_server(("127.0.0.1", port))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", port))
        for listener in (self.stream, self.datagrams):
            listener.setblocking(False)

    def heard(self) -> list[Any]:
        heard: list[Any] = []
        for receive in (self.stream.accept, lambda: self.datagrams.recv(1000)):
            try:
                heard.append(receive())
            except BlockingIOError:
                pass
        self.stream.close()
        self.datagrams.close()
        return heard


async def replayed(page: Page, url: str) -> Frame:
    """The frame that shows the captured page, once it does."""
    async with asyncio.timeout(60):
        while True:
            for frame in page.frames:
                if "mp_/" in frame.url and frame.url.split("#")[0].endswith(url):
                    await frame.wait_for_load_state("load")
                    return frame
            await asyncio.sleep(0.1)


async def watch(gateway: Gateway, origins: Origins, url: str) -> None:
    """Open the capture's page as a person does, replay it, and let it try what it likes."""
    outside: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(find_chromium(None)),
            # Else a proxy is not asked for what is on loopback.
            args=[*FLAGS, "--proxy-bypass-list=<-loopback>"],
            proxy={"server": gateway.url},
        )
        page = await browser.new_page()
        page.on(
            "requestfinished",
            lambda r: outside.append(r.url) if not from_ours(r.url, origins) else None,
        )
        await page.goto(origins.page)
        assert len(page.frames) == 1 or page.frames[1].url in ("", "about:blank")
        await page.get_by_text("Replay", exact=True).click()
        frame = await replayed(page, url)
        pictures = await frame.evaluate(
            "Promise.all(['first', 'again', 'moved'].map(async id => {"
            " const i = document.getElementById(id); await i.decode();"
            " return [i.naturalWidth, i.naturalHeight]; }))"
        )
        assert pictures == [[PICTURE_SIDE, PICTURE_SIDE]] * 3
        colour = await frame.evaluate("getComputedStyle(document.querySelector('h1')).color")
        assert colour == "rgb(1, 2, 3)"
        await frame.wait_for_function("document.documentElement.dataset.answers")
        answers = json.loads(await frame.evaluate("document.documentElement.dataset.answers"))
        asked = ("json", "other", "form", "plain", "parts", "bytes")
        assert answers == {name: f"the answer to {name}" for name in asked}
        await frame.wait_for_function("document.documentElement.dataset.tried")
        tried = await frame.evaluate("({...document.documentElement.dataset})")
        # Else this would prove the player's own rewriting, and not our policy.
        assert int(tried["escaped"]) >= 1, tried
        assert int(tried["tried"]) > 20, tried
        await asyncio.sleep(PATIENCE / 1000)
        # Whatever became of the page, the console is well, and where it was.
        assert page.url == origins.page
        assert await page.evaluate("document.querySelector('h1').textContent")
        assert outside == []
        await browser.close()


def from_ours(url: str, origins: Origins) -> bool:
    return url.startswith((f"{origins.console}/", f"{origins.replay}/", "data:", "blob:"))


def test_a_capture_is_shown_as_it_was_and_reaches_nobody(
    origins: Origins, visited: Visited, database: Database
) -> None:
    port = int(visited.url.split(":")[2].split("/")[0])
    deaf = Deaf(port)

    async def main() -> list[str]:
        async with open_gateway(Gate(origins.hosts)) as gateway:
            await watch(gateway, origins, visited.url)
            return [str(refused) for refused in gateway.refused]

    assert asyncio.run(main()) == []
    assert deaf.heard() == []
    with database.reading() as session:
        views = session.scalars(select(LedgerEntry).where(LedgerEntry.event == "viewed")).all()
    assert [view.subject for view in views] == [f"capture:{origins.capture}"]


def test_the_replay_origin_has_nothing_of_the_console(origins: Origins, seeded: Seeded) -> None:
    with httpx.Client(base_url=origins.replay, timeout=60) as http:
        for path in ("/", "/captures", f"/captures/{origins.capture}", "/api/v1/queue", "/static"):
            assert http.get(path).status_code == 404, path
        begun = http.get(f"/{origins.capture}")
        assert begun.status_code == 307
        assert begun.headers["clear-site-data"] == '"storage", "cache"'
        player = http.get(begun.headers["location"].split("#")[0])
        policy = player.headers["content-security-policy"]
        assert f"frame-ancestors {origins.console}" in policy
        assert "sandbox allow-scripts allow-same-origin allow-forms;" in policy
        assert player.headers["referrer-policy"] == "no-referrer"
        assert player.headers["origin-agent-cluster"] == "?1"
        worker = http.get(f"/{origins.capture}/sw.js")
        assert worker.headers["content-security-policy"].startswith("default-src 'none'")
        assert "{{" not in worker.text
        assert http.get(f"/{origins.capture}", headers={"Host": "evil.example"}).status_code == 400
        named = http.get(f"/{origins.capture}/", headers={"Host": "localhost:9"})
        assert f"frame-ancestors http://localhost:{origins.console.split(':')[2]}" in str(
            named.headers
        )
    console = get(origins.page)
    assert f"frame-src {origins.replay}" in console.headers["content-security-policy"]
    assert "frame-src" not in get(origins.console).headers["content-security-policy"]


def test_the_console_takes_nothing_from_the_replay_origin(origins: Origins, seeded: Seeded) -> None:
    # What browsers say of a request from the same host's other port.
    foreign = {"Origin": origins.replay, "Sec-Fetch-Site": "same-site"}
    requeue = f"{origins.console}/jobs/{seeded.jobs['dead']}/requeue"
    assert post(requeue, headers=foreign).status_code == 403
    assert post(requeue, headers={"Origin": origins.replay}).status_code == 403
    for path in ("/bundle", "/screenshot", "/parts/extra/capture.json"):
        assert get(origins.page + path, headers=foreign).status_code == 403, path
    headers = get(origins.page, headers=foreign).headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_ranges_of_a_bundle(origins: Origins, visited: Visited) -> None:
    data, url = visited.bundle, f"{origins.replay}/{origins.capture}/bundle.wacz"
    size = len(data)
    whole = get(url)
    assert (whole.status_code, whole.content) == (200, data)
    assert whole.headers["accept-ranges"] == "bytes"
    etag = whole.headers["etag"]
    for wanted, part in (
        ("bytes=0-0", data[:1]),
        ("bytes=10-19", data[10:20]),
        (f"bytes={size - 5}-", data[-5:]),
        ("bytes=-7", data[-7:]),
        (f"bytes=-{size + 9}", data),
        (f"bytes=5-{size + 99}", data[5:]),
    ):
        answer = get(url, headers={"Range": wanted, "If-Range": etag})
        assert (answer.status_code, answer.content) == (206, part), wanted
        first = size - len(part) if wanted.startswith("bytes=-") else int(wanted[6:].split("-")[0])
        last = first + len(part) - 1
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
    for wanted in (f"bytes={size}-", "bytes=9-3", "bytes=-0"):
        answer = get(url, headers={"Range": wanted})
        assert answer.status_code == 416, wanted
        assert answer.headers["content-range"] == f"bytes */{size}"
    for headers in (
        {"Range": "bytes=0-1,4-5"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=-"},
        {"Range": "bytes=0-1", "If-Range": '"another"'},
    ):
        assert get(url, headers=headers).status_code == 200, headers
    head = httpx.head(url, headers={"Range": "bytes=0-0"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


def test_what_was_deleted_or_never_was_is_not_replayed(
    origins: Origins, seeded: Seeded, database: Database
) -> None:
    gone = seeded.captures[1]
    with database.writing() as session:
        session.get_one(Capture, gone).deleted_at = utcnow()
    for path in ("", "/", "/bundle.wacz"):
        assert get(f"{origins.replay}/{gone}{path}").status_code == 410, path
        never = f"{origins.replay}/00000000-0000-7000-8000-000000000000{path}"
        assert get(never).status_code == 404, path
    assert get(f"{origins.replay}/vendor/..%2f..%2fapp.py").status_code == 404


def test_the_vendored_player_is_the_one_that_is_written_down(database_url: str) -> None:
    folder = Path("console/replay/static/vendor/replaywebpage")
    readme = (folder / "README.md").read_text()
    files = [path for path in folder.iterdir() if path.name != "README.md"]
    assert sorted(path.name for path in files) == ["LICENSE", "sw.js", "ui.js"]
    for path in files:
        assert f"| `{hashlib.sha256(path.read_bytes()).hexdigest()}` |" in readme, path
