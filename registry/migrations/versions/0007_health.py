"""alarms and saved samples

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-25 20:45:00
"""

import sqlalchemy as sa
from alembic import op

from registry.models.base import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("interface", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("page", sa.String(length=8), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_run_id", sa.Uuid(), nullable=True),
        sa.Column("usual", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_alarms_marketplace_id")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_alarms_plan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_alarms_run_id")),
        sa.ForeignKeyConstraint(
            ["closed_run_id"], ["runs.id"], name=op.f("fk_alarms_closed_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_index(op.f("ix_alarms_marketplace_id"), "alarms", ["marketplace_id"], unique=False)
    op.create_index(
        "ix_alarms_open",
        "alarms",
        ["marketplace_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "alarm_runs",
        sa.Column("alarm_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_runs_alarm_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_alarm_runs_run_id")),
        sa.PrimaryKeyConstraint("alarm_id", "run_id", name=op.f("pk_alarm_runs")),
    )
    op.create_index(op.f("ix_alarm_runs_run_id"), "alarm_runs", ["run_id"], unique=False)
    op.create_table(
        "page_samples",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alarm_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_page_samples_alarm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_samples")),
    )
    op.create_index(op.f("ix_page_samples_alarm_id"), "page_samples", ["alarm_id"], unique=False)
    op.create_index(op.f("ix_page_samples_blob"), "page_samples", ["blob"], unique=False)
    op.create_table(
        "api_calls",
        sa.Column("api", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("api", "day", name=op.f("pk_api_calls")),
    )


def downgrade() -> None:
    op.drop_table("api_calls")
    op.drop_table("page_samples")
    op.drop_table("alarm_runs")
    op.drop_table("alarms")
