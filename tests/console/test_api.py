"""The JSON API: the same facts, in shapes that its OpenAPI document describes."""

from __future__ import annotations

from uuid import uuid4

from tests.console.conftest import Bundle, Console
from tests.console.seed import HOSTILE_TITLE, Seeded


def test_the_queue(console: Console, seeded: Seeded) -> None:
    first = console.json("/queue?limit=10")
    assert first["total"] == seeded.flagged
    assert len(first["items"]) == 10
    item = first["items"][0]
    assert item["price"] == {"amount": "39.00", "currency": "EUR"}
    assert item["price_floor"] == {"amount": "310.00", "currency": "EUR"}
    assert item["assessment"]["flagged"] is True
    assert item["assessment"]["signals"][0]["reason"]
    assert 0 <= item["picture_match"]["distance"] <= 64
    span = item["assessment"]["signals"][1]["spans"][0]
    assert item["title"][span["start"] : span["end"]].casefold() == span["term"]
    seen = [i["listing_id"] for i in first["items"]]
    after = first["after"]
    while after is not None:
        part = console.json(f"/queue?limit=10&after={after}")
        seen += [i["listing_id"] for i in part["items"]]
        after = part["after"]
    assert len(seen) == len(set(seen)) == seeded.flagged
    assert HOSTILE_TITLE in [i["title"] for i in first["items"]]


def test_a_listing(console: Console, seeded: Seeded) -> None:
    listing = console.json(f"/listings/{seeded.changed_listing}")
    newest, oldest = listing["snapshots"]
    assert newest["changed_fields"] == ["title", "description", "price", "pictures"]
    assert oldest["changed_fields"] == []
    assert newest["sightings"] == oldest["sightings"] == 1
    assert len(listing["captures"]) == 2
    assert [p["state"] for p in listing["purchases"]] == ["proposed"]
    assert listing["purchases"][0]["events"][0]["actor"] == "touchstone"
    missing = console.http.get(f"/api/v1/listings/{uuid4()}")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no such listing.")
    assert console.http.get("/api/v1/listings/1").status_code == 422


def test_captures_purchases_jobs_runs(console: Console, seeded: Seeded, bundle: Bundle) -> None:
    captures = console.json("/captures?limit=5")
    assert [c["sha256"] for c in captures] == [bundle.sha256] * 5
    rest = console.json(f"/captures?before={captures[-1]['id']}")
    assert len(captures) + len(rest) == len(seeded.captures)
    ordered = console.json("/purchases?state=ordered")
    assert [p["total"] for p in ordered] == [{"amount": "64.90", "currency": "EUR"}]
    jobs = console.json("/jobs?state=dead")
    assert jobs["tally"]["dead"] == len(jobs["jobs"]) > 0
    assert "timed out" in jobs["jobs"][0]["error"]
    assert {run["state"] for run in console.json("/runs")} == {"finished", "running", "failed"}


def test_the_document_describes_it_without_pages_from_elsewhere(console: Console) -> None:
    document = console.http.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/v1/queue",
        "/api/v1/listings/{listing_id}",
        "/api/v1/captures",
        "/api/v1/captures/{capture_id}",
        "/api/v1/ledger",
        "/api/v1/purchases",
        "/api/v1/jobs",
        "/api/v1/runs",
    }
    assert console.http.get("/docs").status_code == 404
    assert console.http.get("/redoc").status_code == 404
