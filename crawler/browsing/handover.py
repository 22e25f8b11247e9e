"""Walls that a crawl meets, and the person who opens them.

Where a plan has a persona, a login wall or captcha is shown to a person, in a browser of its
own with the stored login, while the crawl of other pages goes on. When the browser is given
back, its login is kept and the pages behind the wall are asked for once more. Nothing here
tries to get past a wall by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as PlaywrightError
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider

from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
from crawler.browsing.sessions import Login, find_login, keep_login, lock_login, unlock_login
from crawler.browsing.takeover import offer
from crawler.network.gate import Forbidden, gate_of
from registry.database import Database
from registry.errors import TouchstoneError
from registry.secrets import open_vault
from registry.settings import Settings

if TYPE_CHECKING:
    from crawler.network.conduct import Conduct

logger = logging.getLogger(__name__)

#: So long a crawl waits for a person, when all its other pages are done.
WAIT_SECONDS = 1_800.0
LOOK_SECONDS = 5.0
#: A page that is walled again after so many logins is walled for good.
MAX_LOGINS = 2
#: Walls that a person can open.
OPENED_BY_PERSONS = ("login", "captcha")


@dataclass(slots=True)
class _Walled:
    request: Request
    given_up: Callable[[], None]


class Handover:
    """The walls of one crawl.

    Parameters
    ----------
    conduct
        With the login of the plan's persona; without one, no person is asked.
    """

    def __init__(self, settings: Settings, database: Database, conduct: Conduct) -> None:
        self._settings = settings
        self._database = database
        self._conduct = conduct
        self._login = conduct.login
        self._logins = 0
        self._in_vain = False
        self._waiting: dict[str, _Walled] = {}
        self._task: asyncio.Task[None] | None = None

    # For the middleware that gives requests the login

    @property
    def logins(self) -> int:
        """How often somebody has logged in since the crawl began."""
        return self._logins

    @property
    def cookies(self) -> list[dict[str, Any]]:
        """The cookies of the login in force."""
        return self._login.cookies if self._login is not None else []

    def context_options(self) -> dict[str, Any]:
        """For a browser context of this crawl."""
        options = dict(CONTEXT_OPTIONS)
        if self._conduct.names_itself:
            options["user_agent"] = self._conduct.user_agent
        if self._login is not None and self._login.storage is not None:
            options["storage_state"] = self._login.storage
        return options

    # For the spider

    @property
    def asking(self) -> bool:
        """Whether a person is being asked just now."""
        return self._task is not None

    def met(
        self,
        crawler: Crawler,
        request: Request,
        kind: str,
        why: str,
        given_up: Callable[[], None],
    ) -> bool:
        """Say that a page was a wall. True if a person is asked, and the page again after that.

        Nobody is asked again by a crawl for which nobody opened one.

        Parameters
        ----------
        request
            That was answered by a wall, after redirects or not.
        kind
            Of the wall, as `crawler.marketplaces.walls` names it.
        given_up
            Called if no person opened it: the page is not asked for again.
        """
        times = int(request.meta.get("touchstone_logins", 0))
        if (
            self._login is None
            or self._in_vain
            or kind not in OPENED_BY_PERSONS
            or times >= MAX_LOGINS
        ):
            return False
        first = request.meta.get("redirect_urls", [request.url])[0]
        meta = {
            name: value
            for name, value in request.meta.items()
            if not name.startswith(("redirect_", "retry_times", "playwright_page", "download_"))
            or name == "playwright_page_methods"
        }
        again = request.replace(
            url=first, dont_filter=True, meta={**meta, "touchstone_logins": times + 1}
        )
        again.headers.pop("Cookie", None)
        self._waiting[first] = _Walled(again, given_up)
        if self._task is None:
            crawler.signals.connect(self._stay, signal=signals.spider_idle)
            self._task = asyncio.get_running_loop().create_task(
                self._ask(crawler, first, kind, why)
            )
        return True

    def _stay(self) -> None:
        if self._task is not None:
            raise DontCloseSpider

    async def _ask(self, crawler: Crawler, url: str, kind: str, why: str) -> None:
        """Have a person open the wall, or wait for the one whom another crawl has asked."""
        opened = False
        try:
            async with asyncio.timeout(WAIT_SECONDS + 60):
                opened = await self._opened(url, kind, why)
        except (TouchstoneError, PlaywrightError, Forbidden, TimeoutError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            logger.error("%s: no person could be asked: %s", url, reason)
        finally:
            self._task = None
            # Asked anew for each page behind the wall, nobody would come for days.
            self._in_vain = not opened
            waiting, self._waiting = self._waiting, {}
            for walled in waiting.values():
                if opened and crawler.engine is not None:
                    crawler.engine.crawl(walled.request)
                else:
                    walled.given_up()

    async def _opened(self, url: str, kind: str, why: str) -> bool:
        assert self._login is not None
        login = self._login
        for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
            if await asyncio.to_thread(self._locked, login):
                return await self._by_person(login, url, kind, why)
            await asyncio.sleep(LOOK_SECONDS)
            now = await asyncio.to_thread(self._read)
            if now.state == "ok":
                self._take(now)
                return True
            if now.state == "needs_login":  # whoever was asked did not do it
                return False
        return False

    async def _by_person(self, login: Login, url: str, kind: str, why: str) -> bool:
        note = "nobody logged in"
        try:
            async with open_browser(
                find_chromium(self._settings.browser),
                gate_of(self._settings),
                proxy=self._conduct.proxy,
                seconds=WAIT_SECONDS + 60,
            ) as opened:
                context = await opened.browser.new_context(**self.context_options())
                page = await context.new_page()
                await tame(page)
                await page.goto(url, wait_until="domcontentloaded")
                async with offer(
                    page,
                    kind="crawl",
                    subject=login.id,
                    why=f"{kind}: {why}. Persona {login.persona}. Give it back once "
                    f"{url[:200]} shows what it should.",
                    database=self._database,
                    settings=self._settings,
                    marketplace_id=login.marketplace_id,
                ) as offered:
                    if not await offered.given_back(WAIT_SECONDS):
                        return False
                    storage = dict(await context.storage_state())
            note = ""
        finally:
            if note:
                await asyncio.to_thread(self._unlock, login, note)
        await asyncio.to_thread(self._keep, login, storage)
        self._take(await asyncio.to_thread(self._read))
        return True

    def _take(self, login: Login) -> None:
        self._login = login
        self._logins += 1

    def _locked(self, login: Login) -> bool:
        with self._database.writing() as session:
            return lock_login(session, login.id)

    def _unlock(self, login: Login, note: str) -> None:
        with self._database.writing() as session:
            unlock_login(session, login.id, note)

    def _keep(self, login: Login, storage: dict[str, Any]) -> None:
        vault = open_vault(self._settings)
        with self._database.writing() as session:
            keep_login(
                session,
                vault,
                login.marketplace_id,
                login.persona,
                storage,
                "logged in by a person",
            )

    def _read(self) -> Login:
        assert self._login is not None
        vault = open_vault(self._settings)
        with self._database.writing() as session:
            return find_login(session, vault, self._login.marketplace_id, self._login.persona)


def handover_of(crawler: Crawler) -> Handover:
    """The handover of this process, for a spider."""
    get: Callable[[], Handover] = crawler.settings["TOUCHSTONE_HANDOVER"]
    return get()
