"""The pages with which a shard begins."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.crawling import revisits
from crawler.crawling.frontier import Page
from crawler.crawling.results import visit_of
from crawler.crawling.store import Target
from crawler.marketplaces import Definition
from crawler.ways_in import leads
from registry.models import Lead, Listing, Shard

logger = logging.getLogger(__name__)

MAX_LEADS = 1_000
#: So much of a budget may go to leads.
LEADS_SHARE = 4
LEADS_RANK, DUE_RANK, FIRST_RANK = 1, 2, 10


def seeds(
    session: Session,
    definition: Definition,
    base: str,
    target: Target,
    shard: Shard,
    max_pages: int,
    *,
    everything: bool,
) -> tuple[list[Page], int]:
    """Its leads, its queries and paths and, for the first shard of a marketplace, what is due.

    Parameters
    ----------
    max_pages
        Of the whole run. The shares of it that leads and what is due may have are divided, or
        they would leave nothing to the searches of a run with many shards.
    everything
        Whether what is due is read whether it changed or not.

    Returns
    -------
    tuple
        The pages, and how many there were beside them that are not of the marketplace.
    """
    shards, places = session.execute(
        select(func.count(), func.count(Shard.marketplace_id.distinct())).where(
            Shard.run_id == target.run_id
        )
    ).one()
    share = min(MAX_LEADS, max(1, max_pages // LEADS_SHARE // shards))
    taken = leads.take(session, target.plan_id, target.marketplace_id, target.run_id, share)
    pages = [page for lead in taken if (page := _of_lead(session, definition, base, lead))]
    for query in shard.queries:
        pages += results_page(definition, base, {**query, "query": query["text"]}, 1, FIRST_RANK)
    for path in shard.browse:
        pages.append(Page("list", urljoin(base, path), FIRST_RANK, arguments={"number": 1}))
    if shard.first:
        most = max(1, max_pages // revisits.DUE_SHARE // places)
        due = revisits.due(session, target.plan_id, target.marketplace_id, most)
        pages += [visit_of(listing, DUE_RANK, afresh=everything) for listing in due]
    mine = [page for page in pages if definition.belongs(page.url, base)]
    for page in pages:
        if not definition.belongs(page.url, base):
            logger.warning("%s: it is not of the marketplace at %s", page.url, base)
    return mine, len(pages) - len(mine)


def results_page(
    definition: Definition, base: str, asked: dict[str, Any], number: int, rank: int
) -> Iterator[Page]:
    """A page of results, from 1, if it has an address and is not too deep.

    Parameters
    ----------
    asked
        The query and its depth.
    """
    depth = asked.get("depth")
    if depth is not None and number > depth:
        return
    try:
        url = definition.search_url(base, asked["query"], number)
    except LookupError:
        return
    arguments = {"query": asked["query"], "depth": depth, "number": number, "counted": True}
    if definition.search_in_browser:
        arguments["browser"] = True
    yield Page("list", url, rank, arguments=arguments)


def _of_lead(session: Session, definition: Definition, base: str, lead: Lead) -> Page | None:
    if lead.page == "list":
        arguments = {"lead": str(lead.id), "number": 1}
        return Page("list", lead.url, LEADS_RANK, arguments=arguments)
    external_id = lead.external_id or definition.external_id(lead.url)
    if external_id is None or not definition.belongs(lead.url, base):
        leads.settle(session, lead.id, "gone", "its address is not of a listing there")
        return None
    arguments = {"lead": str(lead.id), "external_id": external_id}
    known = session.scalar(
        select(Listing.id).where(
            Listing.marketplace_id == lead.marketplace_id, Listing.external_id == external_id
        )
    )
    if known is not None:
        arguments["listing"] = str(known)
    return Page("listing", lead.url, LEADS_RANK, external_id, arguments)
