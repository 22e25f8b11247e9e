"""What keeps others out of a console that has no login: names, origins, headers."""

from __future__ import annotations

from functools import partial

import httpx
from sqlalchemy import select

from console.web.app import create_app
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job
from registry.settings import Settings
from tests.console.conftest import Console, serve
from tests.console.seed import Seeded

# A busy machine may take its time.
post = partial(httpx.post, timeout=60)


def test_a_post_from_elsewhere_does_nothing(
    console: Console, seeded: Seeded, database: Database
) -> None:
    dead = seeded.jobs["dead"]
    for headers in (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": console.url, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        answer = post(f"{console.url}/jobs/{dead}/requeue", headers=headers)
        assert answer.status_code == 403, headers
    with database.reading() as session:
        assert session.get_one(Job, dead).state == "dead"


def test_a_post_from_here_is_taken(console: Console, seeded: Seeded, database: Database) -> None:
    with database.reading() as session:
        dead = session.scalars(select(Job.id).where(Job.state == "dead")).all()
    ways = ({"Sec-Fetch-Site": "same-origin"}, {"Origin": console.url})
    for job_id, headers in zip(dead[:2], ways, strict=True):
        answer = post(f"{console.url}/jobs/{job_id}/requeue", headers=headers)
        assert answer.status_code == 303, headers


def test_other_names_are_refused_unless_allowed(
    settings: Settings, database: Database, blobs: Blobs
) -> None:
    app = create_app(settings, database, blobs, allowed_hosts=["console.example"])
    with serve(app) as console:
        for name in ("localhost", "127.0.0.1:8000", "[::1]:8000", "console.example"):
            assert console.http.get("/", headers={"Host": name}).status_code == 200, name
        for name in ("evil.example", "127.0.0.1.evil.example", "sub.console.example", ""):
            assert console.http.get("/", headers={"Host": name}).status_code == 400, name


def test_every_answer_has_the_headers(console: Console, seeded: Seeded) -> None:
    for path in ("/", "/nothing", "/static/console.css", "/api/v1/queue", "/healthz"):
        headers = console.http.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    refused = console.http.post("/jobs/x/requeue", headers={"Sec-Fetch-Site": "cross-site"})
    assert "content-security-policy" in refused.headers
