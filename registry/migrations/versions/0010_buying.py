"""modes of buying per marketplace

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-26 00:40:00
"""

import sqlalchemy as sa
from alembic import op

from registry.models.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MODES = "mode IN ('rehearse', 'assisted', 'automatic')"
#: Whoever lets a purchase order is named.
NAMED = "mode = 'rehearse' OR mode_by IS NOT NULL"


def upgrade() -> None:
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.add_column(
            sa.Column("mode", sa.String(length=16), nullable=False, server_default="rehearse")
        )
        marketplaces.add_column(sa.Column("mode_by", sa.Text(), nullable=True))
        marketplaces.add_column(sa.Column("mode_at", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE marketplaces SET mode = 'automatic', mode_at = CURRENT_TIMESTAMP,"
        " mode_by = 'somebody, before modes were kept with a name' WHERE ordering"
    )
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.drop_column("ordering")
        marketplaces.alter_column(
            "mode", existing_type=sa.String(length=16), existing_nullable=False, server_default=None
        )
        marketplaces.create_check_constraint(op.f("ck_marketplaces_mode"), MODES)
        marketplaces.create_check_constraint(op.f("ck_marketplaces_mode_by"), NAMED)


def downgrade() -> None:
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.add_column(
            sa.Column("ordering", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    # Older versions know no person who clicks: what was assisted is rehearsed again.
    op.execute(sa.text("UPDATE marketplaces SET ordering = (mode = 'automatic')"))
    with op.batch_alter_table("marketplaces") as marketplaces:
        marketplaces.drop_constraint(op.f("ck_marketplaces_mode_by"), type_="check")
        marketplaces.drop_constraint(op.f("ck_marketplaces_mode"), type_="check")
        for name in ("mode_at", "mode_by", "mode"):
            marketplaces.drop_column(name)
        marketplaces.alter_column(
            "ordering", existing_type=sa.Boolean(), existing_nullable=False, server_default=None
        )
