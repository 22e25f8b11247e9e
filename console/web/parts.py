"""What the pages work with, and the making of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from console.web import queries
from registry.blobs import Blobs
from registry.database import Database
from registry.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """Settings, database, blob store and templates of one console.

    Parameters
    ----------
    replay_port
        Where the replay origin listens; None if there is none.
    """

    settings: Settings
    database: Database
    blobs: Blobs
    templates: Jinja2Templates
    replay_port: int | None = None

    def page(
        self,
        request: Request,
        session: Session,
        template: str,
        context: Mapping[str, Any],
        *,
        status_code: int = 200,
    ) -> Response:
        """Render a page with what its head shows of the house: what waits for a person."""
        return self.templates.TemplateResponse(
            request,
            template,
            {"waiting": queries.waiting(session), **context},
            status_code=status_code,
        )


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


UseParts = Annotated[Parts, Depends(_parts)]
