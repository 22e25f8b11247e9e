"""Examining what was bought, not knowing score or arm; what comes of it; how experts agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from evidence.custody import ledger
from insight import verdicts
from purchases import people
from purchases.files import case_of
from purchases.proposals import find
from purchases.states import Given, IllegalMove, move
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    Examination,
    ExaminationRule,
    Feature,
    Person,
    Product,
    Purchase,
    PurchaseEvent,
)

ANSWERS = ("yes", "no", "cannot tell")
FOUND = ("genuine", "counterfeit", "other_infringement", "inconclusive")

#: What an examined purchase says of its listing, in the words that models learn from.
_VERDICTS: Mapping[str, str] = {
    "genuine": "genuine",
    "counterfeit": "counterfeit",
    "other_infringement": "trademark_use",
}


# What is looked for


def add_feature(
    session: Session, brand: str, kind: str, text: str, *, by: str, sku: str | None = None
) -> Feature:
    """Register how the genuine product is made (``genuine``), or what gives a fake away (``tell``).

    Raises
    ------
    TouchstoneError
        If there is no such brand or product, or there is no text.
    """
    row = _brand(session, brand)
    if kind not in ("genuine", "tell"):
        raise TouchstoneError("a feature is genuine or tell")
    text = " ".join(text.split())
    if not text or len(text) > 1000:
        raise TouchstoneError("a feature is said in up to 1000 characters")
    product = None
    if sku is not None:
        product = session.scalar(
            select(Product).where(Product.brand_id == row.id, Product.sku == sku)
        )
        if product is None:
            raise TouchstoneError(f"{row.name} has no product {sku}: touchstone brand show")
    feature = Feature(
        brand_id=row.id, product_id=product.id if product else None, kind=kind, text=text,
        added_by=people.find(session, by).name,
    )  # fmt: skip
    session.add(feature)
    session.flush()
    return feature


def set_examiners(session: Session, brand: str, number: int, *, by: str) -> ExaminationRule:
    """Say how many examine what is bought of a brand.

    Raises
    ------
    TouchstoneError
        If there is no such brand, or the number is neither one nor two.
    """
    row = _brand(session, brand)
    if number not in (1, 2):
        raise TouchstoneError("one examines, or two do")
    rule = session.get(ExaminationRule, row.id) or ExaminationRule(brand_id=row.id)
    rule.examiners, rule.set_by = number, people.find(session, by).name
    session.add(rule)
    session.flush()
    return rule


def features_of(session: Session, purchase: Purchase) -> Sequence[Feature]:
    """What to look for on a purchase: the brand's features, and those of its product."""
    product_id = purchase.assessment.product_id
    return session.scalars(
        select(Feature)
        .where(
            Feature.brand_id == purchase.brand_id,
            Feature.active,
            or_(Feature.product_id.is_(None), Feature.product_id == product_id),
        )
        .order_by(Feature.kind, Feature.id)
    ).all()


def number_of_examiners(session: Session, purchase: Purchase) -> int:
    """How many examine what is bought of the brand."""
    rule = session.get(ExaminationRule, purchase.brand_id)
    return 1 if rule is None else rule.examiners


# For the examiner


def step_of(session: Session, purchase: Purchase, person: Person) -> str | None:
    """What an examiner does next: ``confirm``, ``examine``, ``verdict``; None if nothing."""
    if purchase.state == "examined":
        return "verdict"
    if purchase.state != "sent_to_examiner" or person.name in _done(session, purchase):
        return None
    return "examine" if _has_it(session, purchase, person.name) else "confirm"


def tasks(session: Session, person: Person) -> Sequence[Purchase]:
    """What was sent to an examiner and has no verdict yet."""
    return session.scalars(
        select(Purchase)
        .where(
            Purchase.state.in_(("sent_to_examiner", "examined")),
            or_(Purchase.examiner == person.name, Purchase.second_examiner == person.name),
        )
        .order_by(Purchase.id)
    ).all()


def confirm(session: Session, purchase_id: UUID, by: str, place: str) -> None:
    """Confirm that an examiner has it in hand: the hand-over counts once both have said so.

    Raises
    ------
    TouchstoneError
        If it was not sent to this person, or is not theirs yet.
    """
    purchase = find(session, purchase_id)
    person = _examiner(session, purchase, by)
    if purchase.state != "sent_to_examiner" or _has_it(session, purchase, person.name):
        raise TouchstoneError("there is no hand-over to confirm")
    giver, said = purchase.buyer, "sent"
    if person.name == purchase.second_examiner:
        giver, said = purchase.examiner, "examined"
        if giver not in _done(session, purchase):
            raise TouchstoneError(f"{giver} has it still: the second examiner comes after")
    details = {
        "from": giver,
        "to": person.name,
        "confirmed_by_from": f"entered as {said}",
        "confirmed_by_to": "entered as received",
        "place": " ".join(place.split()) or "not said",
    }
    session.add(
        PurchaseEvent(
            purchase_id=purchase.id, actor=person.name, state=purchase.state,
            note=f"received from {giver}", details=details,
        )
    )  # fmt: skip
    session.flush()
    ledger.record(
        session, event="handed_over", subject=f"purchase:{purchase.id}", actor=person.name,
        details=details,
    )  # fmt: skip


def examine(
    session: Session,
    purchase_id: UUID,
    by: str,
    *,
    method: str,
    answers: Mapping[UUID, tuple[str, str]],
    outcome: str,
    reasons: str,
) -> Examination:
    """Fill in the form: an answer to each feature, what it is, and why.

    When all who examine have done so, the purchase is examined.

    Parameters
    ----------
    answers
        Feature id → one of `ANSWERS` and a remark.

    Raises
    ------
    TouchstoneError
        If it is not this person's to examine, is not in their hands, or the form has gaps.
    """
    purchase = find(session, purchase_id)
    person = _examiner(session, purchase, by)
    if purchase.state != "sent_to_examiner" or not _has_it(session, purchase, person.name):
        raise TouchstoneError("confirm that you have it in hand first")
    if person.name in _done(session, purchase):
        raise TouchstoneError("the form is filled in; it is not changed any more")
    if outcome not in FOUND:
        raise TouchstoneError(f"{outcome!r} is none of: {', '.join(FOUND)}")
    method, reasons = " ".join(method.split()), reasons.strip()
    if not method or not reasons or len(method) > 1000 or len(reasons) > 4000:
        raise TouchstoneError("say by what method, and for what reasons (up to 4000 characters)")
    form = []
    for feature in features_of(session, purchase):
        answer, remark = answers.get(feature.id, ("", ""))
        if answer not in ANSWERS:
            raise TouchstoneError(f"{feature.text!r} wants an answer: {', '.join(ANSWERS)}")
        form.append(
            {
                "feature": str(feature.id), "kind": feature.kind, "text": feature.text,
                "seen": answer, "remark": remark.strip()[:1000],
            }
        )  # fmt: skip
    row = Examination(
        purchase_id=purchase.id, examiner=person.name, method=method, form=form,
        outcome=outcome, reasons=reasons,
    )  # fmt: skip
    session.add(row)
    session.flush()
    wanted = {name for name in (purchase.examiner, purchase.second_examiner) if name}
    if wanted <= _done(session, purchase):
        found = ", ".join(sorted(_findings(session, purchase)))
        details = {"method": method, "findings": found}
        move(session, purchase, "examined", by=person, given=Given(details=details))
    return row


def judge(session: Session, purchase_id: UUID, by: str, outcome: str, grounds: str) -> Purchase:
    """Give the verdict, and let it flow back: to the listing's verdicts and to its case.

    Raises
    ------
    TouchstoneError
        If it is not examined, not this person's, or not what the examiners found.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    given = Given(outcome=outcome, details={"grounds": grounds})
    case_of(session, purchase, actor=person.name)
    said = _VERDICTS.get(outcome)
    if said is not None:
        note = f"test purchase {purchase.id}: {grounds}"[: verdicts.MAX_NOTE]
        verdicts.record(session, purchase.assessment_id, said, person.name, note)
    move(session, purchase, "verdict", by=person, given=given)
    return purchase


# How examiners agree


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two examiners agree beyond chance.

    Parameters
    ----------
    kappa
        Cohen's; None where chance alone agrees wholly, or nothing was examined twice.
    """

    items: int
    agreed: int
    kappa: float | None


def agreement(session: Session, brand_id: UUID | None = None) -> Agreement:
    """The agreement on all that two examined, each not knowing of the other."""
    wanted = select(Purchase).where(Purchase.second_examiner.is_not(None))
    if brand_id is not None:
        wanted = wanted.where(Purchase.brand_id == brand_id)
    pairs = []
    for purchase in session.scalars(wanted):
        found = {one.examiner: one.outcome for one in purchase.examinations}
        if purchase.examiner in found and purchase.second_examiner in found:
            pairs.append((found[purchase.examiner], found[purchase.second_examiner]))
    agreed = sum(one == two for one, two in pairs)
    return Agreement(len(pairs), agreed, cohens_kappa(pairs))


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of answers; None where it is not defined.

    Source: J. Cohen (1960), A coefficient of agreement for nominal scales.
    """
    if not pairs:
        return None
    number = len(pairs)
    observed = sum(one == two for one, two in pairs) / number
    first, second = Counter(one for one, _ in pairs), Counter(two for _, two in pairs)
    chance = sum(first[answer] * second[answer] for answer in first) / number**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def _examiner(session: Session, purchase: Purchase, by: str) -> Person:
    person = people.find(session, by)
    if "examiner" not in person.roles or person.name not in (
        purchase.examiner, purchase.second_examiner,
    ):  # fmt: skip
        raise IllegalMove(f"this purchase is not {person.name}'s to examine")
    return person


def _has_it(session: Session, purchase: Purchase, name: str) -> bool:
    return (
        session.scalar(
            select(PurchaseEvent.id)
            .where(
                PurchaseEvent.purchase_id == purchase.id,
                PurchaseEvent.state == "sent_to_examiner",
                PurchaseEvent.actor == name,
            )
            .limit(1)
        )
        is not None
    )


def _findings(session: Session, purchase: Purchase) -> set[str]:
    rows = session.execute(
        select(Examination.examiner, Examination.outcome).where(
            Examination.purchase_id == purchase.id
        )
    )
    return {f"{examiner}: {outcome.replace('_', ' ')}" for examiner, outcome in rows}


def _done(session: Session, purchase: Purchase) -> set[str]:
    return set(
        session.scalars(select(Examination.examiner).where(Examination.purchase_id == purchase.id))
    )


def _brand(session: Session, slug: str) -> Brand:
    row = session.scalar(select(Brand).where(Brand.slug == slug))
    if row is None:
        raise TouchstoneError(f"there is no brand {slug}; see brand list")
    return row
