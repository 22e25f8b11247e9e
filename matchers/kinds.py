"""What a listing seems to be, and what follows: flag, abstain or pass.

Four kinds are kept apart, because they are different matters before the law and only two of
them may lead to an accusation:

``counterfeit``
    A fake of the brand's goods: there is a sign (`matchers.signals`: a confession of the
    lexicon, the mark in disguise, a registered picture edited to be missed, several earlier
    verdicts, a relisting of a fake).
``trademark_use``
    The mark is put to goods that are not said to be the brand's product: joined to another
    word or in disguise where no product and no registered picture is recognised, or said to
    be "in the style of", and nothing confesses to more.
``grey_import``
    Genuine by all that is seen, from another region: said to be an import, or sent from
    elsewhere than the seller's country, at a price that is not far under the floor.
``price_breach``
    Under the brand's floor, and no sign of a fake. How low it is does not matter: a price is
    never a fake.

The outcome is ``flag`` for the first two from the model's upper limit on, and only with a sign
of weight. A person looks (``abstain``) from the lower limit on, and at a grey import or a price
breach that is plain. Everything else is passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from matchers.model import Limits
from matchers.signals import SIGNALS
from matchers.values import Kind, Outcome, Signal

#: Log-odds that signs must add together before they can carry a flag.
LEAST_SIGN = 0.7
#: Log of counterfeit over genuine verdicts on a seller's other goods that is a sign: three to none.
SEVERAL = 2.0
#: Under this part of the floor a price breach is plain, over that a fair offer's haggling.
BREACH = 0.9
#: Over this part of the floor a price can be that of a grey import.
GREY = 0.55


def decide(
    score: float,
    signals: Sequence[Signal],
    limits: Limits,
    *,
    product: bool,
    named: bool,
    floor_ratio: float | None,
) -> tuple[Outcome, Kind | None]:
    """The outcome and the kind of a listing that no gate stopped.

    Parameters
    ----------
    product
        Whether a registered product is offered, by picture or by name.
    named
        Whether the words say that the thing is the brand's.
    floor_ratio
        Unit price over the product's floor, for new goods; None where it is not known.
    """
    kind = _kind(signals, product, named, floor_ratio)
    if score >= limits.flag and kind in ("counterfeit", "trademark_use"):
        return "flag", kind
    if score >= limits.abstain:
        return "abstain", kind or "counterfeit"
    if kind in ("grey_import", "price_breach"):
        return "abstain", kind
    return "pass", None


def _kind(
    signals: Sequence[Signal], product: bool, named: bool, floor_ratio: float | None
) -> Kind | None:
    by = {signal.name: signal for signal in signals}
    signed = sum(s.contribution for s in signals if _is_sign(s) and s.contribution > 0)
    if signed >= LEAST_SIGN:
        confessed = any(f"lexicon_{severity}" in by for severity in (3, 4))
        recognised = product or "picture_match" in by
        if "brand_joined" in by or "brand_disguised" in by:
            return "counterfeit" if confessed or recognised else "trademark_use"
        if "style_of" in by and not confessed:
            return "trademark_use"
        return "counterfeit"
    if "style_of" in by:
        return "trademark_use"
    if not named:
        return None  # goods without the name are no genuine ones that are sold too cheap
    foreign = "import_words" in by or "ships_elsewhere" in by
    if foreign and (floor_ratio is None or floor_ratio >= GREY):
        return "grey_import" if "import_words" in by or _under(floor_ratio) else None
    return "price_breach" if _under(floor_ratio) else None


def _is_sign(signal: Signal) -> bool:
    """Whether it speaks of these goods: one verdict on other goods of the seller's does not."""
    if signal.name == "seller_counterfeits" and signal.value < SEVERAL:
        return False
    return SIGNALS[signal.name].sign


def _under(floor_ratio: float | None) -> bool:
    return floor_ratio is not None and floor_ratio < BREACH
