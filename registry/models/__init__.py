"""All tables of the house, by subject; times are UTC and aware, ids are UUIDv7."""

from registry.models.base import Base
from registry.models.brands import Authorisation, Brand, Mark, Picture, Product, Reference
from registry.models.cases import Assessment, Capture, Purchase, PurchaseEvent
from registry.models.custody import Case, Checkpoint, Exhibit, LedgerEntry, Stamp
from registry.models.jobs import Job
from registry.models.judging import VERDICTS, LearnedModel, Verdict
from registry.models.sampling import FrameListing, SampleFrame
from registry.models.schedules import DueRun, PlanHold
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
    "VERDICTS",
    "Assessment",
    "Authorisation",
    "Base",
    "Brand",
    "Capture",
    "Case",
    "Checkpoint",
    "DueRun",
    "Exhibit",
    "FrameListing",
    "Job",
    "LearnedModel",
    "LedgerEntry",
    "Listing",
    "Mark",
    "Marketplace",
    "Picture",
    "Plan",
    "PlanHold",
    "Product",
    "Purchase",
    "PurchaseEvent",
    "Reference",
    "Run",
    "SampleFrame",
    "Seller",
    "Sighting",
    "Snapshot",
    "SnapshotPicture",
    "Stamp",
    "Verdict",
]
