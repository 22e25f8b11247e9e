"""A worker process that buys, to be killed."""

from sqlalchemy import select

from purchases.ordering import purchase_job
from registry import jobs
from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Job
from registry.settings import load_settings

settings = load_settings()
database = Database(settings.database)
with database.writing() as session:
    job_id = session.scalars(select(Job.id).where(Job.state == "queued")).one()
    claim = jobs.claim(session, job_id, "buyer", 60)
assert claim is not None
purchase_job(jobs.Hold(database, claim, 60), settings, open_blobs(settings.evidence_store))
