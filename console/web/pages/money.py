"""`/money`: what test purchases cost, for finance."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.web.parts import UseParts
from insight.rates import running_rates
from purchases import money

router = APIRouter(prefix="/money")


@router.get("")
def overview(request: Request, parts: UseParts) -> Response:
    """Balance, limits and the newest transactions."""
    with parts.database.reading() as session:
        rates = running_rates(parts.settings)
        return parts.page(
            request,
            session,
            "money.html",
            {
                "balance": money.balance(session),
                "faults": money.faults(session),
                "limits": money.use_of_limits(session, rates, f"{datetime.now(UTC):%Y-%m}"),
                "transactions": money.transactions(session, limit=100),
                "rates_day": rates.day,
            },
        )
