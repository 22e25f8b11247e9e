"""All tables of the house, by subject; times are UTC and aware, ids are UUIDv7."""

from registry.models.base import Base
from registry.models.brands import Authorisation, Brand, Mark, Picture, Product, Reference
from registry.models.cases import Assessment, Capture, Purchase, PurchaseEvent
from registry.models.custody import Case, Checkpoint, Exhibit, LedgerEntry, Stamp
from registry.models.jobs import Job
from registry.models.watching import (
    Listing,
    Marketplace,
    Plan,
    Run,
    Seller,
    Sighting,
    Snapshot,
    SnapshotPicture,
)

__all__ = [
    "Assessment",
    "Authorisation",
    "Base",
    "Brand",
    "Capture",
    "Case",
    "Checkpoint",
    "Exhibit",
    "Job",
    "LedgerEntry",
    "Listing",
    "Mark",
    "Marketplace",
    "Picture",
    "Plan",
    "Product",
    "Purchase",
    "PurchaseEvent",
    "Reference",
    "Run",
    "Seller",
    "Sighting",
    "Snapshot",
    "SnapshotPicture",
    "Stamp",
]
