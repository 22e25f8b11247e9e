"""From evidence to a match: what was once taken for one and was none."""

from dataclasses import replace

import numpy as np

from matchers.pictures.geometry import Likeness, Placement
from matchers.pictures.guided import SecondLook
from matchers.pictures.verdict import Evidence, confidence

#: Black shoes on tiles, in another hue, held against a white shirt on a blanket: five corners
#: in one spot said where the shirt would lie, and the tiles' lines there pleased the pixels.
SHOES_AND_SHIRT = Evidence(
    kind="reference",
    placed=Placement(
        transform=np.array([[1.0, -0.12, 168.14], [-0.12, -1.0, 600.74]]),
        inliers=5,
        spread=0.0009,
        residual=1.25,
        central=0.054,
    ),
    size=(300, 400),
    listing_size=(533, 400),
    distance=120,
    alike=Likeness(
        middle=0.48, whole=0.30, agreeing=0.50, exact=0.40, best=0.20, overlap=0.32, detail=0.64
    ),
    again=SecondLook(middle=0.64, whole=0.54, alike=0.74, corners=120, core=0.77),
)


def test_a_few_corners_in_one_spot_are_no_match() -> None:
    assert confidence(SHOES_AND_SHIRT) == 0.0
    # Neither where all of the reference would be in the picture.
    whole = replace(SHOES_AND_SHIRT.alike, overlap=1.0)
    assert confidence(replace(SHOES_AND_SHIRT, alike=whole)) == 0.0


def test_a_few_corners_all_over_the_reference_may_be_one() -> None:
    whole = replace(SHOES_AND_SHIRT.alike, overlap=1.0)
    wide = replace(SHOES_AND_SHIRT.placed, spread=0.2)
    assert confidence(replace(SHOES_AND_SHIRT, alike=whole, placed=wide)) > 0.5
    # But not of a small part of it.
    assert confidence(replace(SHOES_AND_SHIRT, placed=wide)) == 0.0


def test_a_logo_of_few_corners_is_none() -> None:
    logo = replace(
        SHOES_AND_SHIRT,
        kind="logo",
        alike=Likeness(0.95, 0.9, 0.98, 0.95, 0.95, 1.0, 0.8),
        placed=replace(SHOES_AND_SHIRT.placed, inliers=6, spread=0.2),
    )
    assert confidence(logo) == 0.0
    many = replace(logo, placed=replace(logo.placed, inliers=12))
    assert confidence(many) > 0.9
    assert confidence(replace(many, alike=replace(logo.alike, middle=0.7, exact=0.6))) < 0.5
