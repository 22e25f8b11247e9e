"""How the requests of a crawl go out: what a plan and its marketplace say, as Scrapy's settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from crawler.browsing.browser import find_chromium, launch_options
from crawler.browsing.handover import Handover
from crawler.browsing.sessions import Login, find_login
from crawler.network.asking import MAX_BYTES, Asker
from crawler.network.gate import gate_of
from crawler.network.gateway import Gateway
from crawler.network.politeness import FREE, Pace
from crawler.network.proxies import ProxyServer, find_proxy
from crawler.network.turns import Turns
from crawler.network.turnstile import Turnstile
from registry.database import Database
from registry.models import Marketplace, Plan
from registry.secrets import open_vault
from registry.settings import Settings

logger = logging.getLogger(__name__)

SECONDS = 30


def user_agent(settings: Settings) -> str:
    """What our requests call themselves, unless a plan says otherwise."""
    where = f"+{settings.user_agent_url}; " if settings.user_agent_url else ""
    return f"Touchstone/{version('touchstone')} ({where}brand protection; obeys robots.txt)"


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the requests of one plan behave at one marketplace.

    Parameters
    ----------
    robots_ignored
        Who of the marketplace's team said that robots.txt need not be obeyed, and why; None if
        nobody did.
    pace
        The marketplace's own ceiling; what it leaves open is as the settings say.
    """

    marketplace_id: UUID
    host: str
    user_agent: str
    names_itself: bool
    robots_ignored: str | None = None
    pace: Pace = FREE
    proxy: ProxyServer | None = None
    login: Login | None = None


def conduct_of(
    session: Session, settings: Settings, plan: Plan, marketplace: Marketplace
) -> Conduct:
    """Read it, in a write transaction: the first crawl for a persona notes that it needs a login.

    Raises
    ------
    TouchstoneError
        If the plan names a proxy that there is not, or a secret cannot be opened.
    """
    vault = open_vault(settings)
    ignored = None
    if marketplace.robots_ignored_by:
        ignored = f"{marketplace.robots_ignored_by}: {marketplace.robots_why}"
        logger.warning("%s: robots.txt is not obeyed, says %s", marketplace.name, ignored)
    return Conduct(
        marketplace_id=marketplace.id,
        host=urlsplit(marketplace.url).netloc.lower(),
        user_agent=plan.user_agent or user_agent(settings),
        names_itself=plan.user_agent is not None,
        robots_ignored=ignored,
        pace=Pace(marketplace.requests_per_second, marketplace.requests_at_once),
        proxy=find_proxy(session, vault, plan.proxy) if plan.proxy else None,
        login=find_login(session, vault, marketplace.id, plan.persona) if plan.persona else None,
    )


def pace_at(
    settings: Settings, marketplace: str = "", of_its_own: Pace = FREE
) -> Callable[[str], Pace]:
    """The ceiling of each host, for a turnstile.

    A host on a private address that the settings name is the operator's own: it has none, but
    for what its marketplace says.

    Parameters
    ----------
    marketplace
        Its host, for which `of_its_own` counts.
    """
    gate = gate_of(settings)

    def pace(host: str) -> Pace:
        name = urlsplit(f"//{host}").hostname or ""
        own = of_its_own if host == marketplace else FREE
        if gate.allows_host(f"[{name}]" if ":" in name else name):
            return own
        return Pace(
            own.per_second or settings.requests_per_second,
            own.at_once or settings.requests_at_once,
        )

    return pace


def asker_of(
    settings: Settings,
    database: Database,
    *,
    agent: str | None = None,
    marketplace: str = "",
    of_its_own: Pace = FREE,
) -> Asker:
    """Somebody who asks for a page or two, with the manners of a crawl.

    Parameters
    ----------
    agent
        What the requests call themselves; None is by our own name.
    marketplace, of_its_own
        As of `pace_at`.
    """
    turns = Turns(database, pace_at(settings, marketplace, of_its_own))
    return Asker(gate_of(settings), agent or user_agent(settings), turns)


def network_settings(
    settings: Settings,
    database: Database,
    conduct: Conduct,
    gateway: Gateway | None,
    *,
    browser: bool,
) -> dict[str, Any]:
    """Scrapy's settings for all that concerns the network.

    Parameters
    ----------
    gateway
        Needed where there is a proxy or a browser.
    browser
        Whether some pages need one.
    """
    turnstile = Turnstile(database, pace_at(settings, conduct.host, conduct.pace))
    handover = Handover(settings, database, conduct)
    handler = (
        f"crawler.network.{'drawing.PoliteBrowser' if browser else 'downloading.Polite'}Handler"
    )
    middlewares: dict[str, Any] = {
        "crawler.network.middlewares.GateMiddleware": 50,
        "crawler.network.middlewares.TypeMiddleware": 60,
        "crawler.network.middlewares.CrawlDelayMiddleware": 90,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "crawler.network.middlewares.RobotsMiddleware": 100,
        "crawler.network.middlewares.RetryAfterMiddleware": 560,
    }
    chosen: dict[str, Any] = {
        "USER_AGENT": conduct.user_agent,
        "ROBOTSTXT_OBEY": conduct.robots_ignored is None,
        "DOWNLOAD_TIMEOUT": SECONDS,
        "DOWNLOAD_MAXSIZE": MAX_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": 5,
        # Of the schemes that Scrapy knows, two are left.
        "DOWNLOAD_HANDLERS": {
            "http": handler,
            "https": handler,
            **dict.fromkeys(("data", "file", "ftp", "s3")),
        },
        # A proxy of the environment would resolve names behind our back.
        "HTTPPROXY_ENABLED": False,
        "TOUCHSTONE_ROBOTS_IGNORED": conduct.robots_ignored,
        "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": list(settings.allowed_private_hosts),
        "TOUCHSTONE_ALLOWED_PORTS": list(settings.allowed_ports),
        # Settings are copied deeply: functions survive that.
        "TOUCHSTONE_TURNSTILE": lambda: turnstile,
        "TOUCHSTONE_HANDOVER": lambda: handover,
    }
    if conduct.login is not None:
        middlewares["crawler.network.middlewares.LoginMiddleware"] = 690
    if conduct.proxy is not None:
        assert gateway is not None
        middlewares["crawler.network.middlewares.GatewayMiddleware"] = 740
        middlewares["crawler.network.middlewares.GatewayAnswerMiddleware"] = 540
        chosen["TOUCHSTONE_GATEWAY"] = gateway.http_url
    if browser:
        assert gateway is not None
        chosen |= {
            "PLAYWRIGHT_LAUNCH_OPTIONS": {
                "executable_path": str(find_chromium(settings.browser)),
                **launch_options(gateway.url),
            },
            "PLAYWRIGHT_CONTEXTS": {"default": handover.context_options()},
            "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 2,
            "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": SECONDS * 1000,
        }
    return chosen | {"DOWNLOADER_MIDDLEWARES": middlewares}


def needs_gateway(conduct: Conduct, *, browser: bool) -> bool:
    """Whether a crawl needs a gateway beside the gate."""
    return browser or conduct.proxy is not None
