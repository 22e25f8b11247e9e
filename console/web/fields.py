"""Query and form fields that several pages take."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator, Field

from registry.errors import TouchstoneError

#: A form sends a field that was left empty as "".
_blank_is_none = BeforeValidator(lambda value: None if value == "" else value)

Name = Annotated[Annotated[str, Field(max_length=64)] | None, _blank_is_none, Query()]
MinScore = Annotated[Annotated[float, Field(ge=0, le=1)] | None, _blank_is_none, Query()]
Place = Annotated[UUID | None, _blank_is_none, Query()]


def named(by: str) -> str:
    """A name that somebody put into a form.

    Raises
    ------
    TouchstoneError
        If there is none.
    """
    name = " ".join(by.split())
    if not name:
        raise TouchstoneError("your name is wanted: it stands in the custody ledger")
    return name
