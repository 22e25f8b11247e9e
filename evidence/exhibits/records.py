"""The record of a test purchase in a bag: in the clear without the buyer, and the whole of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.exhibits.dossier import Dossier, Item, Redaction
from evidence.exhibits.proofs import moment
from evidence.exhibits.sealing import SEALED, commit

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Record:
    """A purchase's record.

    Parameters
    ----------
    clear
        For everybody: each of the buyer's fields is ``[sealed]``, with a commitment to it.
    sealed
        The whole, with the commitments' salts; None if nothing is hidden.
    """

    clear: dict[str, Any]
    sealed: dict[str, Any] | None


def record_of(
    item: Item,
    dossier: Dossier,
    buyer: Mapping[str, str],
    redaction: Redaction,
    *,
    include_sensitive: bool,
) -> Record:
    """The record of a purchase.

    Parameters
    ----------
    buyer
        The persona of this purchase; its fields count only where a checkout was begun.
    """
    purchase, snapshot = item.purchase, item.snapshot
    assert purchase is not None
    listing = purchase.listing
    whole: dict[str, Any] = {
        "v": 1,
        "id": str(purchase.id),
        "state": purchase.state,
        "listing": {
            "marketplace": listing.marketplace.name,
            "external_id": listing.external_id,
            "url": listing.url,
            "title": snapshot.title if snapshot else None,
            "price": str(snapshot.price) if snapshot and snapshot.price else None,
            "seller": snapshot.seller.name if snapshot and snapshot.seller else None,
        },
        "limit": str(purchase.limit),
        "requested_by": purchase.requested_by,
        "created_at": moment(purchase.created_at),
        "approved_by": purchase.approved_by,
        "approved_at": moment(purchase.approved_at),
        "clicked_at": moment(purchase.clicked_at),
        "order": {
            "number": purchase.order_number,
            "amount": None if purchase.order_amount is None else str(purchase.order_amount),
            "currency": purchase.order_currency,
        },
        "arm": purchase.arm,
        "outcome": purchase.outcome,
        "note": purchase.note,
        "events": [
            {
                "at": moment(event.at),
                "state": event.state,
                "actor": event.actor,
                "note": event.note,
            }
            for event in purchase.events
        ],
        "captures": [
            {
                "id": str(capture.id),
                "captured_at": moment(capture.captured_at),
                "status": capture.status,
                "sha256": capture.sha256,
                "size": capture.size,
            }
            for capture in dossier.captures_of.get(purchase.id, [])
        ],
    }
    fields = {name: value for name, value in buyer.items() if value} if _began(item) else {}
    if fields:
        whole["buyer"] = fields
        whole["buyer_source"] = "the persona that was assigned to the purchase"
    if include_sensitive:
        return Record(whole, None)
    clear = redaction.all(whole)
    if not fields:
        return Record(clear, whole if clear != whole else None)
    salts = {name: secrets.token_bytes(SALT_BYTES) for name in fields}
    clear["buyer"] = dict.fromkeys(fields, SEALED)
    clear["commitments"] = {name: commit(salts[name], value) for name, value in fields.items()}
    return Record(clear, {**whole, "salts": {name: salt.hex() for name, salt in salts.items()}})


def _began(item: Item) -> bool:
    """Whether a checkout was begun, and so the shop given a name and an address."""
    return item.purchase is not None and any(e.state == "ordering" for e in item.purchase.events)
