"""Handing a live browser to a person, and getting it back.

The process that has the browser listens on `settings.takeover_bind`, with a certificate of the
moment whose hash stands in the takeover's row, and answers whoever knows the token, which
stands there sealed: the console. What becomes of a takeover is written in its row, by the
console; this process looks there every second, and says by the same words that it lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.async_api import Page
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils.compat import uuid7

from crawler.browsing.screen import BadInput, Screen
from crawler.browsing.sessions import ALIVE_SECONDS
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Takeover
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
#: How long a request for a newer picture is kept waiting.
PICTURE_SECONDS = 10.0
MAX_EVENTS = 200
MAX_BODY = 64 << 10


class Offer:
    """A live browser that a person may take.

    Attributes
    ----------
    done
        Set it where the person has done all there was to do, whether they give it back or not:
        what was seen of that.
    """

    def __init__(self, takeover_id: UUID) -> None:
        self.id = takeover_id
        self.done: str | None = None
        self._over = asyncio.Event()
        self._state = "open"

    async def given_back(self, seconds: float) -> bool:
        """Wait until a person has given the browser back; False if that does not come.

        Parameters
        ----------
        seconds
            After which nobody is waited for any more.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._state == "given_back"

    def _is(self, state: str) -> None:
        self._state = state
        if state not in ("open", "taken"):
            self._over.set()


@asynccontextmanager
async def offer(
    page: Page,
    *,
    kind: str,
    subject: UUID,
    why: str,
    database: Database,
    settings: Settings,
    marketplace_id: UUID | None = None,
    before_input: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Offer]:
    """Offer a page's browser to a person in the console, for as long as the block lasts.

    Parameters
    ----------
    kind, subject
        What waits for the person: ``crawl``, ``purchase`` or ``session``, and which.
    why
        For the person: what has to be done.
    before_input
        Called before each key, click or text of the person goes to the page.
    """
    offered = Offer(uuid7())
    token = secrets.token_urlsafe(32)
    screen = Screen(page, before_input)
    await screen.start()
    context, certificate = _certificate()
    listener = _listen(settings.takeover_bind)
    runner = web.AppRunner(_app(screen, token), access_log=None)
    await runner.setup()
    beats = None
    try:
        await web.SockSite(runner, listener, ssl_context=context).start()
        row = Takeover(
            id=offered.id,
            kind=kind,
            subject=subject,
            why=why[:1000],
            marketplace_id=marketplace_id,
            address=_address(listener, settings.takeover_bind),
            certificate=certificate,
            token=open_vault(settings).seal(token.encode(), context=f"takeover:{offered.id}"),
        )
        await asyncio.to_thread(_write, database, row)
        beats = asyncio.create_task(_beat(database, offered))
        yield offered
    finally:
        if beats is not None:
            beats.cancel()
        await asyncio.shield(asyncio.to_thread(_end, database, offered))
        await screen.stop()
        await runner.cleanup()
        listener.close()


def _write(database: Database, row: Takeover) -> None:
    with database.writing() as session:
        # Whoever had one of these was lost, and nobody else would say so.
        session.execute(
            update(Takeover)
            .where(
                Takeover.state.in_(("open", "taken")),
                Takeover.alive_at < utcnow() - timedelta(seconds=ALIVE_SECONDS),
            )
            .values(state="abandoned", ended_at=Takeover.alive_at, note="its process was lost")
        )
        session.add(row)


async def _beat(database: Database, offered: Offer) -> None:
    def work() -> str:
        with database.writing() as session:
            row = session.get_one(Takeover, offered.id, with_for_update=True)
            row.alive_at = utcnow()
            return row.state

    while True:
        try:
            offered._is(await asyncio.to_thread(work))
        except SQLAlchemyError as error:  # an outage: the person waits as well
            logger.error("takeover %s: %s: %s", offered.id, type(error).__name__, error)
        await asyncio.sleep(BEAT_SECONDS)


def _end(database: Database, offered: Offer) -> None:
    with database.writing() as session:
        row = session.get(Takeover, offered.id, with_for_update=True, populate_existing=True)
        if row is None or row.state not in ("open", "taken"):
            return
        row.ended_at = utcnow()
        if row.state == "taken" and offered.done is not None:
            row.state, row.note = "given_back", offered.done
        else:
            row.note = "nobody gave it back in time" if row.state == "taken" else "nobody came"
            row.state = "abandoned"


def _listen(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise TouchstoneError(
            f"takeover: cannot listen on {bind}: {error.strerror} (TOUCHSTONE_TAKEOVER_BIND)"
        ) from error


def _address(listener: socket.socket, bind: str) -> str:
    """Where the console finds it."""
    host = bind.rpartition(":")[0]
    if host in ("0.0.0.0", "[::]"):
        host = socket.getfqdn()
    return f"{host}:{listener.getsockname()[1]}"


def _certificate() -> tuple[ssl.SSLContext, str]:
    """A key and certificate for one takeover, and the certificate's hash."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "touchstone takeover")])
    now = utcnow()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # the one way in is through a file
        file = Path(folder) / "pair.pem"
        file.touch(mode=0o600)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context, sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def _app(screen: Screen, token: str) -> web.Application:
    @web.middleware
    async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
        said = request.headers.get("Authorization", "")
        if not hmac.compare_digest(said.encode(), f"Bearer {token}".encode()):
            raise web.HTTPForbidden
        answer: web.StreamResponse = await handler(request)
        return answer

    async def picture(request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        number, jpeg = await screen.picture(int(after) if after.isdecimal() else 0, PICTURE_SECONDS)
        url = screen.url.encode("ascii", "replace").decode()[:300]
        headers = {"X-Number": str(number), "X-Page": url}
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    async def hands(request: web.Request) -> web.Response:
        events = await request.json()
        if not isinstance(events, list) or len(events) > MAX_EVENTS:
            raise web.HTTPBadRequest
        try:
            for event in events:
                if not isinstance(event, dict):
                    raise BadInput("no event")
                await screen.do(event)
        except (BadInput, ValueError, TypeError) as error:
            raise web.HTTPBadRequest from error
        return web.Response(status=204)

    app = web.Application(middlewares=[known], client_max_size=MAX_BODY)
    app.router.add_get("/picture", picture)
    app.router.add_post("/hands", hands)
    return app
