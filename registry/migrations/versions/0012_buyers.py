"""buyers: when they are away, how much at once; where marketplaces deliver

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-26 00:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

AWAY = (
    "(away_from IS NULL) = (away_until IS NULL) AND (away_from IS NULL OR away_from <= away_until)"
)


def upgrade() -> None:
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("away_from", sa.Date(), nullable=True))
        people.add_column(sa.Column("away_until", sa.Date(), nullable=True))
        people.add_column(sa.Column("at_once", sa.Integer(), nullable=True))
        people.create_check_constraint(op.f("ck_people_away"), AWAY)
        people.create_check_constraint(op.f("ck_people_at_once"), "at_once IS NULL OR at_once > 0")
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.add_column(sa.Column("delivers_to", JSON, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.drop_column("delivers_to")
    with op.batch_alter_table("people") as people:
        people.drop_constraint(op.f("ck_people_at_once"), type_="check")
        people.drop_constraint(op.f("ck_people_away"), type_="check")
        for name in ("at_once", "away_until", "away_from"):
            people.drop_column(name)
