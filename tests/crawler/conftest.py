"""Crawls run on SQLite here; one of them names PostgreSQL for itself."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of the kind that a test names, else SQLite."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
