"""Recording what a page does: every exchange, and what it shows at chosen moments."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page as BrowserPage
from uuid_utils.compat import uuid7

from crawler.network.gateway import Gateway
from evidence.capturing import dom
from evidence.capturing.circumstances import SOFTWARE, of_browser, of_software
from evidence.capturing.isolated import IsolatedWorld
from evidence.capturing.network import Network
from evidence.capturing.screenshots import take_viewport, take_whole
from evidence.exhibits.printing import print_pdf
from evidence.packing import wacz, warc
from evidence.packing.har import write_har
from evidence.signing.signer import Signer

MAX_TEXT_CHARACTERS = 200_000
QUIET_SECONDS = 5.0
STEP_SECONDS = 60.0
PDF_SECONDS = 30.0
VIEWPORT_SECONDS = 5.0
#: How long a document waits for the bodies of what it shows.
BODIES_SECONDS = 2.0

_FOLDERS = ("archive", "indexes", "screenshots", "dom", "text", "pdf", "extra")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished bundle.

    Parameters
    ----------
    archive_sha256
        Of the WARC in it, which is stamped as well.
    key_id
        The key that signed it.
    screenshot
        The full-page screenshot that stands for the whole, still in the working folder.
    exchanges, incomplete
        How many requests were recorded, and how many of them without their whole answer.
    """

    path: Path
    sha256: str
    archive_sha256: str
    key_id: str
    screenshot: Path
    exchanges: int
    incomplete: int


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Recorder:
    """Records one page from now until `seal`.

    Parameters
    ----------
    folder
        An empty working folder; bodies are kept there, not in memory.
    circumstances
        Why and by whom: goes into the WARC and into ``extra/capture.json``.

    Attributes
    ----------
    world
        Where to ask the page something that its scripts shall not answer.
    notes
        What else ``extra/capture.json`` shall say; whoever records adds to it.
    """

    page: BrowserPage
    gateway: Gateway
    folder: Path
    circumstances: Mapping[str, Any]
    signer: Signer
    network: Network = field(init=False)
    notes: dict[str, Any] = field(default_factory=dict)
    _steps: list[tuple[str, wacz.Page]] = field(default_factory=list)
    _shots: dict[str, dict[str, Any]] = field(default_factory=dict)
    _writing: set[asyncio.Task[None]] = field(default_factory=set)
    _session: CDPSession | None = None

    def __post_init__(self) -> None:
        self.network = Network(self.page, self.gateway, self.folder / "bodies")

    async def start(self) -> None:
        """Begin to record; call it before the page goes anywhere."""
        for name in _FOLDERS:
            (self.parts / name).mkdir(parents=True, exist_ok=True)
        self._session = await self.page.context.new_cdp_session(self.page)
        self.world = IsolatedWorld(self._session)
        await self.network.start()
        browser = self.page.context.browser
        assert browser is not None
        # Asked now, of an empty page: a hostile one need not answer.
        self.notes |= {
            **await of_software(),
            **await of_browser(browser, self._session),
            "viewport": self.page.viewport_size,
        }

    @property
    def session(self) -> CDPSession:
        """The protocol session of the page."""
        assert self._session is not None
        return self._session

    @property
    def parts(self) -> Path:
        """Where the parts of the package are put together."""
        return self.folder / "package"

    async def first_seen(self, name: str) -> None:
        """Keep what is in the window before anything was done; a page may be too busy for it."""
        place = self.parts / "screenshots" / f"{self._number(name)}-first-seen.png"
        with contextlib.suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(VIEWPORT_SECONDS):
                await take_viewport(self.session, place)

    async def step(self, name: str, *, pdf: bool = False) -> None:
        """Keep what the page shows now: full-page screenshot, DOM, visible text, if wanted PDF.

        Raises
        ------
        TimeoutError
            If the page keeps the browser too busy to show anything.
        """
        async with asyncio.timeout(STEP_SECONDS):
            await self._keep(self._number(name), pdf)

    def _number(self, name: str) -> str:
        return f"{len(self._steps) + 1:02d}-{name}"

    async def _keep(self, number: str, pdf: bool) -> None:
        parts = self.parts
        said = await self.world.call(
            "() => ({title: document.title, text: document.body ? document.body.innerText : ''})"
        )
        page = wacz.Page(
            id=uuid7(),
            url=self.page.url,
            ts=datetime.now(UTC),
            title=str(said["title"])[:1000],
            text=str(said["text"])[:MAX_TEXT_CHARACTERS],
        )
        shot = await take_whole(self.session, parts / "screenshots" / f"{number}.png")
        about: dict[str, Any] = {"screenshot": [shot.width, shot.height], "whole": shot.whole}
        if not shot.whole:
            about["page"] = [shot.page_width, shot.page_height]
        rendered = await dom.render(self.world)
        if rendered.dropped:
            about["left_out_of_dom"] = rendered.dropped
        if pdf:
            about |= await self._print(parts / "pdf" / f"{number}.pdf")
        task = asyncio.get_running_loop().create_task(self._write(number, page.text, rendered))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        self._shots[number] = about
        self._steps.append((number, page))

    async def _write(self, number: str, text: str, rendered: dom.Rendered) -> None:
        """Put text and document into files, while the visit goes on."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BODIES_SECONDS
        while self.network.busy and loop.time() < deadline:
            await asyncio.sleep(0.05)
        exchanges = list(self.network.exchanges)
        await asyncio.to_thread(_write_step, self.parts, number, text, rendered, exchanges)

    async def _print(self, path: Path) -> dict[str, Any]:
        """A PDF; a page that cannot be printed is no reason to lose the rest."""
        try:
            async with asyncio.timeout(PDF_SECONDS):
                await print_pdf(self.session, path)
        except (TimeoutError, PlaywrightError, OSError) as error:
            path.unlink(missing_ok=True)
            return {"no_pdf": str(error)[:200] or f"not done in {PDF_SECONDS:.0f} seconds"}
        return {}

    def add(self, name: str, value: Any) -> None:
        """Put a JSON file under ``extra/``."""
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
        (self.parts / "extra" / name).write_text(text, "utf-8", errors="replace")

    async def seal(self, *, cover: str | None = None, **outcome: Any) -> Sealed:
        """Stop recording and pack everything.

        Parameters
        ----------
        cover
            Name of the step whose screenshot stands for the whole; the last one by default.
        outcome
            What came of the visit; goes into ``extra/capture.json``.

        Raises
        ------
        OSError
            If the disk is full; no half bundle is left.
        """
        await self.network.settle(QUIET_SECONDS)
        while self._writing:
            await asyncio.gather(*self._writing)
        exchanges, incomplete = self.network.exchanges, self.network.incomplete
        created = datetime.now(UTC)
        about = {
            **self.circumstances,
            **outcome,
            **self.notes,
            "sealed_at": warc.warc_date(created),
            "shown": [
                {
                    "name": number, "url": page.url, "at": warc.warc_date(page.ts),
                    **self._shots[number],
                }
                for number, page in self._steps
            ],
            "exchanges": len(exchanges),
            "incomplete": [
                {"url": e.url, "truncated": e.truncated, "error": e.error} for e in incomplete
            ],
            "completeness": self.network.completeness,
            "answered_locally": self.network.local,
            "windows_beside": [e.url for e in self.network.beside],
            "forbidden": [str(forbidden) for forbidden in self.gateway.refused],
        }  # fmt: skip
        self.add("capture.json", about)
        return await asyncio.to_thread(self._pack, created, cover)

    def _pack(self, created: datetime, cover: str | None) -> Sealed:
        pages = [page for _, page in self._steps]
        write_har(
            self.parts / "extra" / "exchanges.har",
            self.network.exchanges,
            pages,
            software="touchstone",
            version=version("touchstone"),
            browser=str(self.notes["browser"]),
        )
        archive = self.parts / "archive" / "data.warc.gz"
        info = {
            "software": SOFTWARE,
            "format": "WARC File Format 1.1",
            "isPartOf": "Touchstone evidence",
            **{k: v for k, v in self.circumstances.items() if isinstance(v, str)},
        }
        warc.write_warc(
            archive,
            info,
            self.network.exchanges,
            certificates=self.network.certificates,
            lookups=self.network.lookups,
        )
        warc.write_index(archive, self.parts / "indexes")
        target = self.folder / "bundle.wacz"
        packed = wacz.pack(
            self.parts,
            target,
            pages=pages,
            software=SOFTWARE,
            created=created,
            title=pages[0].title or pages[0].url,
            signer=self.signer,
        )
        numbers = [number for number, _ in self._steps]
        shown = next((n for n in numbers if n.split("-", 1)[1] == cover), numbers[-1])
        return Sealed(
            path=target,
            sha256=packed.sha256,
            archive_sha256=packed.parts[f"archive/{archive.name}"],
            key_id=self.signer.key_id,
            screenshot=self.parts / "screenshots" / f"{shown}.png",
            exchanges=len(self.network.exchanges),
            incomplete=len(self.network.incomplete),
        )


def _write_step(
    parts: Path, number: str, text: str, rendered: dom.Rendered, exchanges: list[Any]
) -> None:
    document = dom.inline(rendered, exchanges)
    (parts / "dom" / f"{number}.html").write_text(document, "utf-8", errors="replace")
    (parts / "text" / f"{number}.txt").write_text(text, "utf-8", errors="replace")
