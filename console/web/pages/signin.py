"""`/signin`: being somebody in the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from console.web.doors import COOKIE, COOKIE_SECONDS
from console.web.parts import UseParts
from purchases import people

router = APIRouter()


@router.get("/signin")
def form(request: Request, parts: UseParts) -> Response:
    """Ask for the code."""
    return parts.templates.TemplateResponse(
        request, "signin.html", {"waiting": {}, "fault": None, "person": request.state.person}
    )


@router.post("/signin")
def sign_in(
    request: Request, parts: UseParts, code: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Sign in, if it is somebody's code."""
    with parts.database.reading() as session:
        person = people.by_code(session, code)
    if person is None:
        return parts.templates.TemplateResponse(
            request,
            "signin.html",
            {"waiting": {}, "fault": "That is nobody's code.", "person": None},
            status_code=403,
        )
    only_tasks = set(person.roles) <= {"buyer", "examiner"}
    answer = RedirectResponse("/tasks" if only_tasks else "/", status_code=303)
    answer.set_cookie(
        COOKIE, code.strip(), max_age=COOKIE_SECONDS, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.post("/signout")
def sign_out() -> Response:
    """Be nobody again."""
    answer = RedirectResponse("/signin", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer
