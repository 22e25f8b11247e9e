"""What the pages and the API read, apart from how they show it. Nothing here writes."""

from console.web.queries.custody import (
    CaseFile,
    CaseRow,
    LedgerState,
    Line,
    Log,
    case_file,
    cases,
    cases_of,
    custody_log,
    ledger_state,
)
from console.web.queries.history import History, Version, listing_history
from console.web.queries.leads import lead_tally, leads, tips
from console.web.queries.lists import (
    brands,
    capture,
    captures,
    jobs,
    picture,
    plan_names,
    runs,
    waiting,
)
from console.web.queries.plans import plan_file, plans
from console.web.queries.purchase_after import (
    After,
    Waiting,
    purchase_after,
    purchases_waiting,
)
from console.web.queries.purchases import (
    Story,
    is_blind_to,
    purchase,
    purchase_story,
    purchase_tally,
    purchases,
)
from console.web.queries.queue import TABS, Card, CardPage, Order, QueueFilter, Tab, queue, tally

__all__ = [
    "TABS",
    "After",
    "Card",
    "CardPage",
    "CaseFile",
    "CaseRow",
    "History",
    "LedgerState",
    "Line",
    "Log",
    "Order",
    "QueueFilter",
    "Story",
    "Tab",
    "Version",
    "Waiting",
    "brands",
    "capture",
    "captures",
    "case_file",
    "cases",
    "cases_of",
    "custody_log",
    "is_blind_to",
    "jobs",
    "lead_tally",
    "leads",
    "ledger_state",
    "listing_history",
    "picture",
    "plan_file",
    "plan_names",
    "plans",
    "purchase",
    "purchase_after",
    "purchase_story",
    "purchase_tally",
    "purchases",
    "purchases_waiting",
    "queue",
    "runs",
    "tally",
    "tips",
    "waiting",
]
