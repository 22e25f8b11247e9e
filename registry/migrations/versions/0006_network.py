"""politeness across workers, proxies, sessions, takeovers

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-25 20:45:00
"""

import sqlalchemy as sa
from alembic import op

from registry.models.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OF_PLANS = ("proxy", "persona", "user_agent")
_OF_MARKETPLACES = (
    "robots_ignored_by",
    "robots_why",
    "robots_at",
    "requests_per_second",
    "requests_at_once",
)


def upgrade() -> None:
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("proxy", sa.Text(), nullable=True))
        plans.add_column(sa.Column("persona", sa.String(length=64), nullable=True))
        plans.add_column(sa.Column("user_agent", sa.Text(), nullable=True))
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.add_column(sa.Column("robots_ignored_by", sa.Text(), nullable=True))
        marketplaces.add_column(sa.Column("robots_why", sa.Text(), nullable=True))
        marketplaces.add_column(sa.Column("robots_at", UtcDateTime(), nullable=True))
        marketplaces.add_column(sa.Column("requests_per_second", sa.Double(), nullable=True))
        marketplaces.add_column(sa.Column("requests_at_once", sa.Integer(), nullable=True))
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("crawl_delay", sa.Double(), nullable=True),
        sa.Column("paused_until", UtcDateTime(), nullable=True),
        sa.Column("paused_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hosts")),
    )
    op.create_table(
        "host_leases",
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("host", "holder", name=op.f("pk_host_leases")),
    )
    op.create_table(
        "proxies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_proxies")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("persona", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_sessions_marketplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint(
            "marketplace_id", "persona", name=op.f("uq_sessions_marketplace_id_persona")
        ),
    )
    op.create_table(
        "takeovers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("alive_at", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("seat", sa.String(length=64), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_takeovers_marketplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takeovers")),
    )
    op.create_index(
        "ix_takeovers_state_opened_at", "takeovers", ["state", "opened_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_takeovers_state_opened_at", table_name="takeovers")
    for table in ("takeovers", "sessions", "proxies", "host_leases", "hosts"):
        op.drop_table(table)
    with op.batch_alter_table("marketplaces") as marketplaces:
        for name in reversed(_OF_MARKETPLACES):
            marketplaces.drop_column(name)
    with op.batch_alter_table("plans") as plans:
        for name in reversed(_OF_PLANS):
            plans.drop_column(name)
