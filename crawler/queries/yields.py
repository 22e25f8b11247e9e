"""What each query of a plan has brought, counted as its pages of results are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from registry.models import QueryHit, QueryYield


def found(
    session: Session,
    plan_id: UUID,
    marketplace_id: UUID,
    run_id: UUID,
    query: str,
    external_ids: Collection[str],
) -> None:
    """Count a page of results that a run has read for a query.

    To be called in the transaction that notes the page as read, so that a page is counted
    once whatever is killed when. A listing is *new* for the query whose page first showed it
    to this plan.

    Parameters
    ----------
    external_ids
        The page's own ids of the listings on it, those known included.
    """
    ids = set(external_ids)
    brought = defaultdict(set)
    in_this_run = set()
    for external_id, by, last in session.execute(
        select(QueryHit.external_id, QueryHit.query, QueryHit.run_id).where(
            QueryHit.plan_id == plan_id,
            QueryHit.marketplace_id == marketplace_id,
            QueryHit.external_id.in_(ids),
        )
    ):
        brought[external_id].add(by)
        if by == query and last == run_id:
            in_this_run.add(external_id)
    counted = session.scalar(
        select(QueryYield).where(
            QueryYield.run_id == run_id,
            QueryYield.marketplace_id == marketplace_id,
            QueryYield.query == query,
        )
    )
    if counted is None:
        counted = QueryYield(
            plan_id=plan_id,
            marketplace_id=marketplace_id,
            run_id=run_id,
            query=query,
            pages=0,
            found=0,
            new=0,
        )
        session.add(counted)
    counted.pages += 1
    counted.found += len(ids - in_this_run)
    counted.new += len(ids - brought.keys())
    again = [one for one in ids - in_this_run if query in brought[one]]
    if again:
        session.execute(
            update(QueryHit)
            .where(
                QueryHit.plan_id == plan_id,
                QueryHit.marketplace_id == marketplace_id,
                QueryHit.query == query,
                QueryHit.external_id.in_(again),
            )
            .values(run_id=run_id)
            .execution_options(synchronize_session=False)
        )
    first = sorted(one for one in ids if query not in brought[one])
    if first:
        session.execute(
            insert(QueryHit),
            [
                {
                    "plan_id": plan_id,
                    "marketplace_id": marketplace_id,
                    "external_id": one,
                    "query": query,
                    "first_run_id": run_id,
                    "run_id": run_id,
                }
                for one in first
            ],
        )
    session.flush()
