"""schedules of plans, runs that are due, holds of plans, frames of the random check

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-25 17:20:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ADDED = (
    "max_browser_minutes", "schedule", "time_zone", "jitter", "opening_hours", "next_due_at",
    "paused_at", "paused_by",
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("max_browser_minutes", sa.Double(), nullable=True))
        plans.add_column(sa.Column("schedule", JSON, nullable=False, server_default="[]"))
        plans.add_column(
            sa.Column("time_zone", sa.String(length=64), nullable=False, server_default="UTC")
        )
        plans.add_column(sa.Column("jitter", sa.Integer(), nullable=False, server_default="0"))
        plans.add_column(sa.Column("opening_hours", JSON, nullable=False, server_default="[]"))
        plans.add_column(sa.Column("next_due_at", UtcDateTime(), nullable=True))
        plans.add_column(sa.Column("paused_at", UtcDateTime(), nullable=True))
        plans.add_column(sa.Column("paused_by", sa.Text(), nullable=True))
    op.create_index(op.f("ix_plans_next_due_at"), "plans", ["next_due_at"], unique=False)
    op.create_table(
        "due_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("missed_since", UtcDateTime(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_due_runs_plan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_due_runs_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_runs")),
        sa.UniqueConstraint("plan_id", "due_at", name=op.f("uq_due_runs_plan_id_due_at")),
    )
    op.create_index("ix_due_runs_plan_id_state", "due_runs", ["plan_id", "state"], unique=False)
    op.create_index(op.f("ix_due_runs_job_id"), "due_runs", ["job_id"], unique=False)
    op.create_index(op.f("ix_due_runs_run_id"), "due_runs", ["run_id"], unique=False)
    op.create_table(
        "plan_holds",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("stop_requested_at", UtcDateTime(), nullable=True),
        sa.Column("stop_requested_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_holds_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_holds")),
    )
    op.create_table(
        "sample_frames",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terms", JSON, nullable=False),
        sa.Column("strata", JSON, nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("frozen_at", UtcDateTime(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=True),
        sa.Column("seed_source", sa.Text(), nullable=True),
        sa.Column("sample_sha256", sa.String(length=64), nullable=True),
        sa.Column("drawn_by", sa.Text(), nullable=True),
        sa.Column("drawn_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_frames")),
    )
    op.create_table(
        "frame_listings",
        sa.Column("frame_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["frame_id"], ["sample_frames.id"], name=op.f("fk_frame_listings_frame_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_frame_listings_listing_id")
        ),
        sa.PrimaryKeyConstraint("frame_id", "listing_id", name=op.f("pk_frame_listings")),
    )
    op.create_index(
        "ix_frame_listings_frame_id_drawn", "frame_listings", ["frame_id", "drawn"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_frame_listings_frame_id_drawn", table_name="frame_listings")
    op.drop_table("frame_listings")
    op.drop_table("sample_frames")
    op.drop_table("plan_holds")
    op.drop_index(op.f("ix_due_runs_run_id"), table_name="due_runs")
    op.drop_index(op.f("ix_due_runs_job_id"), table_name="due_runs")
    op.drop_index("ix_due_runs_plan_id_state", table_name="due_runs")
    op.drop_table("due_runs")
    op.drop_index(op.f("ix_plans_next_due_at"), table_name="plans")
    with op.batch_alter_table("plans") as plans:
        for name in reversed(_ADDED):
            plans.drop_column(name)
