"""What the pages and the API read, apart from how they show it. Nothing here writes."""

from console.web.queries.history import History, Version, listing_history
from console.web.queries.lists import (
    brands,
    capture,
    captures,
    jobs,
    picture,
    plan_names,
    purchase,
    purchase_tally,
    purchases,
    runs,
    waiting,
)
from console.web.queries.queue import Card, CardPage, Order, QueueFilter, queue

__all__ = [
    "Card",
    "CardPage",
    "History",
    "Order",
    "QueueFilter",
    "Version",
    "brands",
    "capture",
    "captures",
    "jobs",
    "listing_history",
    "picture",
    "plan_names",
    "purchase",
    "purchase_tally",
    "purchases",
    "queue",
    "runs",
    "waiting",
]
