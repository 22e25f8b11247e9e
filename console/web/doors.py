"""Who is signed in, and which doors are open to them."""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from purchases import people
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Person

COOKIE: Final = "touchstone_code"
COOKIE_SECONDS: Final = 30 * 24 * 3600

#: Open to everybody, signed in or not.
_OPEN = ("/static/", "/signin", "/healthz")
#: All that is open to whoever is only buyer or examiner: no score, no arm, no other purchase; of
#: the takeovers, those of what is theirs to buy.
_TASKS = ("/tasks", "/takeovers/", "/signout")


class Doors:
    """Looks who is signed in, and shows those who only buy or examine nothing but their tasks.

    Parameters
    ----------
    required
        Whether every page asks for a code. Without it whoever reaches the console is trusted
        as the operator, as long as they have not signed in as somebody else.
    """

    def __init__(self, app: ASGIApp, database: Database, *, required: bool) -> None:
        self.app = app
        self.database = database
        self.required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        code = HTTPConnection(scope).cookies.get(COOKIE)
        person = await run_in_threadpool(self._person, code) if code else None
        scope.setdefault("state", {})["person"] = person
        refusal = self._refusal(scope, person)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _person(self, code: str) -> Person | None:
        with self.database.reading() as session:
            return people.by_code(session, code)

    def _refusal(self, scope: Scope, person: Person | None) -> Response | None:
        path: str = scope["path"]
        if path.startswith(_OPEN):
            return None
        if person is None:
            if not self.required and path != "/tasks" and not path.startswith("/tasks/"):
                return None
            if scope["type"] == "http" and scope["method"] == "GET" and "/api/" not in path:
                return RedirectResponse("/signin", status_code=303)
            return PlainTextResponse("Sign in first.\n", status_code=401)
        if only_tasks(person) and not path.startswith(_TASKS):
            if path == "/":
                return RedirectResponse("/tasks", status_code=303)
            return PlainTextResponse("This is not among your tasks.\n", status_code=403)
        return None


def only_tasks(person: Person | None) -> bool:
    """Whether somebody sees nothing but what they buy and examine."""
    return person is not None and set(person.roles) <= {"buyer", "examiner"}


def signed_in(request: Request) -> Person:
    """Who asks.

    Raises
    ------
    HTTPException
        401 if nobody is signed in.
    """
    person = reader(request)
    if person is None:
        raise HTTPException(401, "Sign in first.")
    return person


def reader(request: Request) -> Person | None:
    """Who is signed in; None if nobody is."""
    person: Person | None = getattr(request.state, "person", None)
    return person


def sees_persona(request: Request, buyer: str | None) -> bool:
    """Whether who asks may see under what name and address a buyer bought."""
    person = reader(request)
    return person is not None and (person.name == buyer or "administrator" in person.roles)


def acting(request: Request, by: str) -> str:
    """The name under which something is done: whoever signed in, or else who says to be it.

    Raises
    ------
    TouchstoneError
        If that name has a code, and it was not signed in with.
    """
    person = reader(request)
    if person is not None:
        return person.name
    database: Database = request.app.state.parts.database
    with database.reading() as session:
        if people.has_code(session, by):
            raise TouchstoneError(
                f"{by.strip()[:200]} has a code: sign in with it to act under that name"
            )
    return by
