"""Alembic migrations, one file a step, never edited after they landed."""
