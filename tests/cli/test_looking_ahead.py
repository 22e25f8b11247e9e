"""A plan file is tried before it is written, while others write."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.cli import plans
from console.cli.house import House
from registry import jobs, planfile
from registry.blobs import open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, Job, Plan
from registry.settings import Settings


def test_others_may_write_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, allowed_private_hosts=("127.0.0.1",))
    database = Database(settings.database)
    database.migrate()
    with database.writing() as session:
        session.add(Brand(slug="velaro", name="Velaro", owner="V"))
    file = tmp_path / "plan.yaml"
    place = {"name": "m", "kind": "bazaar", "url": "http://127.0.0.1:9/"}
    file.write_text(
        yaml.safe_dump({"name": "p", "brand": "velaro", "marketplace": place, "browse": ["/"]})
    )

    def another() -> None:
        with database.writing() as session:
            jobs.enqueue(session, "assess", {})

    writer = Thread(target=another)

    def save(session: Session, *arguments: object) -> Plan:
        session.scalar(select(func.count()).select_from(Plan))
        writer.start()
        writer.join(1.0)  # by then it has committed, or waits for us
        return planfile.save_plan(session, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(plans, "save_plan", save)
    house = House(settings, database, open_blobs(settings.evidence_store))
    with pytest.raises(TouchstoneError, match="does not answer"):
        plans._plan_id(house, str(file), captures=False)
    writer.join()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Plan)) == 0
        assert session.scalar(select(func.count()).select_from(Job)) == 1
    database.close()
