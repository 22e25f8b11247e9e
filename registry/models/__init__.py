"""All tables of the house, by subject; times are UTC and aware, ids are UUIDv7."""

from registry.models.base import Base
from registry.models.brands import Authorisation, Brand, Mark, Picture, Product, Reference
from registry.models.buying import (
    OUTCOMES,
    Examination,
    ExaminationRule,
    Feature,
    Purchase,
    PurchaseEvent,
    PurchaseFile,
)
from registry.models.cases import Assessment, Capture
from registry.models.custody import Case, Checkpoint, Exhibit, LedgerEntry, Stamp
from registry.models.health import Alarm, AlarmRun, ApiCalls, PageSample
from registry.models.jobs import Job
from registry.models.judging import VERDICTS, LearnedModel, Verdict
from registry.models.leads import ORIGINS, Lead, QueryHit, QueryYield, Tip
from registry.models.money import (
    ACCOUNTS,
    UNITS,
    MoneyLimit,
    MoneyPosting,
    MoneyTransaction,
)
from registry.models.network import Host, HostLease, Proxy, StoredSession, Takeover
from registry.models.people import ROLES, Person, Persona, Secret
from registry.models.reconciling import (
    PROPOSALS,
    DeadlineCheck,
    DeadlineRule,
    OverduePurchase,
    PurchaseLetter,
    PurchaseLook,
    PurchaseMailbox,
    PurchaseMessage,
)
from registry.models.sampling import FrameListing, SampleFrame
from registry.models.schedules import DueRun, PlanHold
from registry.models.shards import Shard, Visit
from registry.models.watching import (
    MODES,
    Absence,
    Listing,
    Marketplace,
    Plan,
    PlanMarketplace,
    Run,
    Seller,
    Sighting,
    Snapshot,
    SnapshotPicture,
)

__all__ = [
    "ACCOUNTS",
    "MODES",
    "ORIGINS",
    "OUTCOMES",
    "PROPOSALS",
    "ROLES",
    "UNITS",
    "VERDICTS",
    "Absence",
    "Alarm",
    "AlarmRun",
    "ApiCalls",
    "Assessment",
    "Authorisation",
    "Base",
    "Brand",
    "Capture",
    "Case",
    "Checkpoint",
    "DeadlineCheck",
    "DeadlineRule",
    "DueRun",
    "Examination",
    "ExaminationRule",
    "Exhibit",
    "Feature",
    "FrameListing",
    "Host",
    "HostLease",
    "Job",
    "Lead",
    "LearnedModel",
    "LedgerEntry",
    "Listing",
    "Mark",
    "Marketplace",
    "MoneyLimit",
    "MoneyPosting",
    "MoneyTransaction",
    "OverduePurchase",
    "PageSample",
    "Person",
    "Persona",
    "Picture",
    "Plan",
    "PlanHold",
    "PlanMarketplace",
    "Product",
    "Proxy",
    "Purchase",
    "PurchaseEvent",
    "PurchaseFile",
    "PurchaseLetter",
    "PurchaseLook",
    "PurchaseMailbox",
    "PurchaseMessage",
    "QueryHit",
    "QueryYield",
    "Reference",
    "Run",
    "SampleFrame",
    "Secret",
    "Seller",
    "Shard",
    "Sighting",
    "Snapshot",
    "SnapshotPicture",
    "Stamp",
    "StoredSession",
    "Takeover",
    "Tip",
    "Verdict",
    "Visit",
]
