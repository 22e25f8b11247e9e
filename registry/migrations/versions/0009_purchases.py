"""purchases from proposal to verdict, money ledger, personas

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-25 20:45:00
"""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
