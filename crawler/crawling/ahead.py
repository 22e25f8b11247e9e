"""A look at the marketplaces of a plan, before anything of a run is written."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from crawler.browsing.browser import launches
from crawler.marketplaces import KINDS
from crawler.marketplaces.interfaces import facing
from crawler.network.asking import RobotsForbid
from crawler.network.conduct import asker_of
from crawler.network.gate import Forbidden, gate_of
from crawler.network.politeness import FREE, Pace
from crawler.network.turns import NoTurn
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Plan
from registry.settings import Settings

logger = logging.getLogger(__name__)

MIN_FREE_BYTES = 64 << 20
#: What a look at one marketplace may take, with all its redirects.
PREFLIGHT_SECONDS = 15.0
PREFLIGHT_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What there is to be looked at of a marketplace before a run.

    Parameters
    ----------
    name, kind, url
        As of `registry.models.Marketplace`.
    searched
        Whether it is searched, which some marketplaces answer only to a browser.
    user_agent
        What the plan calls itself; None is by our own name.
    robots
        Whether robots.txt is obeyed there.
    knock
        Whether it is asked for a page. What is read by an API is not: what the token is worth,
        the run will see. Nor is what the plan reaches through a proxy: nobody else may ask there.
    pace
        The marketplace's own ceiling.
    """

    name: str
    kind: str
    url: str
    searched: bool = False
    user_agent: str | None = None
    robots: bool = True
    knock: bool = True
    pace: Pace = FREE


def to_visit(plan: Plan) -> list[Ahead]:
    """What `look_ahead` has to look at before a run.

    Raises
    ------
    TouchstoneError
        If an API is asked for and there is no token.
    """
    found = []
    for place in plan.places:
        market = place.marketplace
        queries = plan.queries if place.queries is None else place.queries
        pages = facing(KINDS[market.kind], market.url, place.interface).interface == "pages"
        found.append(
            Ahead(
                market.name,
                market.kind,
                market.url,
                searched=pages and (bool(queries) or plan.generate > 0),
                user_agent=plan.user_agent,
                robots=market.robots_ignored_by is None,
                knock=pages and plan.proxy is None,
                pace=Pace(market.requests_per_second, market.requests_at_once),
            )
        )
    return found


def look_ahead(settings: Settings, places: Sequence[Ahead], *, captures: bool) -> dict[str, str]:
    """Look at the marketplaces of a plan before anything is written.

    Parameters
    ----------
    captures
        Whether what is flagged will be captured by this process, in a browser.

    Returns
    -------
    dict
        The names of those that cannot be watched now, and why. The others can.

    Raises
    ------
    TouchstoneError
        If there is none that can be.
    """
    wrong: dict[str, str] = {}
    for place in places:
        try:
            preflight(settings, place, captures=captures)
        except TouchstoneError as error:
            wrong[place.name] = str(error)
    if wrong and len(wrong) == len(places):
        raise TouchstoneError("; ".join(dict.fromkeys(wrong.values())))
    return wrong


def preflight(settings: Settings, place: Ahead, *, captures: bool) -> None:
    """Make sure, before anything is written, that a marketplace can be watched.

    Raises
    ------
    TouchstoneError
        If the marketplace may not be visited, does not answer or leads to another host, if
        the browser that is needed is missing or does not start, or if the disk is all but
        full.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < MIN_FREE_BYTES:
        raise TouchstoneError(
            f"disk: {free >> 20} MB are free in {settings.data_dir}, a run needs at least "
            f"{MIN_FREE_BYTES >> 20}: free some space, or move the data directory"
        )
    if captures or (place.searched and KINDS[place.kind].search_in_browser):
        launches(settings.browser)
    try:
        gate_of(settings).check_form(place.url)
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    if place.knock:
        database = Database(settings.database)
        try:
            _knock(settings, database, place)
        except NoTurn as error:
            # Other crawls have its pace, or it wants to be left alone: the run will wait.
            logger.warning("%s is not looked at: %s", place.name, error)
        finally:
            database.close()


def _knock(settings: Settings, database: Database, place: Ahead) -> None:
    """Ask for a marketplace's first page, as robots.txt allows, when its turn has come."""
    url = place.url
    asker = asker_of(
        settings,
        database,
        agent=place.user_agent,
        marketplace=urlsplit(url).netloc.lower(),
        of_its_own=place.pace,
    )
    until = time.monotonic() + PREFLIGHT_SECONDS
    if place.robots:
        try:
            asker.obey_robots(url, until=until)
        except RobotsForbid as forbids:
            # A busy answer says little, and a first page little of the others: the run will see.
            if forbids.status < 500 or forbids.status == 503:
                return
            raise
        except NoTurn:
            raise
        except TouchstoneError as error:
            said = str(error).removeprefix("marketplace ")
            raise TouchstoneError(f"marketplace {url}: {said}") from error
    here = url
    for _ in range(PREFLIGHT_REDIRECTS):
        status, fields, _ = asker.ask(here, until=until, most=0)
        # A busy answer to one knock says little; the run itself is patient.
        if status >= 500 and status != 503:
            raise TouchstoneError(f"marketplace {url} answers {status}: is it the right address?")
        link = fields.get("location") if status in REDIRECTS else None
        if link is None:
            return
        try:
            there = urljoin(here, link)
            host = urlsplit(there).netloc
        except ValueError:
            host, there = "", link
        if host != urlsplit(url).netloc:
            # The run stays on the host of the plan, and would see nothing.
            where = " ".join(there.split())[:200]
            raise TouchstoneError(f"marketplace {url} leads to {where}: name that in the plan")
        here = there
