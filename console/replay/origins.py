"""How the two origins name each other: the same host, by whatever name, and the other port."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request

_HOST = re.compile(r"[0-9a-z.-]+|[0-9a-f:.]+", re.ASCII)


def origin_at(request: Request, port: int) -> str:
    """The origin at another port of the host under whose name we were asked.

    Raises
    ------
    HTTPException
        400, if that name is none: it goes into a policy.
    """
    host = (request.url.hostname or "").lower()
    if not _HOST.fullmatch(host):
        raise HTTPException(400, "This host name is none.")
    return f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
