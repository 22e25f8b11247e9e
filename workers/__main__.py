"""`python -m workers`: one worker process, until SIGTERM."""

from registry.blobs import open_blobs
from registry.database import Database
from registry.settings import load_settings
from workers.runner import WorkerProcess, serve_until_signalled

settings = load_settings()
database = Database(settings.database)
database.ready()
serve_until_signalled(WorkerProcess(settings, database, open_blobs(settings.evidence_store)))
