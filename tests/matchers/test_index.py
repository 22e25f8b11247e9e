"""Finding references in edited pictures, and not finding them where they are not."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bazaar.household import THINGS
from bazaar.motifs import GOODS
from bazaar.pictures import PALETTES, render, scene_of
from matchers.pictures import Found, Reference, ReferenceIndex, Traits, decode, traits
from matchers.pictures.voting import Corners

SIDE = 360
COUNT = 8
#: The references show the first of these, the other pictures the rest.
MOTIFS = (*sorted(GOODS), *sorted(THINGS))


@cache
def scene(number: int) -> Image.Image:
    """A drawn thing: the same for the same number."""
    dice = Random(1000 + number)
    motif = MOTIFS[number]
    patterns = ("monogram", "quilted", "dotted", "woven")
    return render(
        scene_of(
            motif, PALETTES[number % len(PALETTES)], dice, word=f"Alba {number}",
            pattern=patterns[number % 4], settings=("planks", "blocks", "table"),
        ),
        SIDE,
    )  # fmt: skip


def file(picture: Image.Image, quality: int = 85) -> bytes:
    buffer = BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@cache
def references() -> tuple[Reference, ...]:
    return tuple(
        Reference(f"r{number}", "reference", traits(decode(file(scene(number)))))
        for number in range(COUNT)
    )


@cache
def index() -> ReferenceIndex:
    return ReferenceIndex.build(references())


def search(picture: Image.Image, keys: frozenset[str] | None = None) -> list[Found]:
    return index().search(decode(file(picture)), keys)


def _collage(picture: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (2 * SIDE, 2 * SIDE), "white")
    for place, number in enumerate((15, 16, 17)):
        sheet.paste(scene(number), (place % 2 * SIDE, place // 2 * SIDE))
    sheet.paste(picture, (SIDE, SIDE))
    return sheet.resize((640, 640))


def _screen(picture: Image.Image) -> Image.Image:
    screen = Image.new("RGB", (SIDE, SIDE * 2), (18, 18, 18))
    screen.paste(picture, (0, SIDE // 3))
    pen = ImageDraw.Draw(screen)
    pen.text((10, 10), "12:45", fill="white")
    pen.rectangle((20, SIDE * 2 - 70, SIDE - 20, SIDE * 2 - 20), fill=(40, 110, 220))
    return screen


def _sticker(picture: Image.Image) -> Image.Image:
    stuck = picture.copy()
    ImageDraw.Draw(stuck).rectangle((20, 20, 20 + 0.39 * SIDE, 20 + 0.39 * SIDE), fill="yellow")
    return stuck


def _cropped(picture: Image.Image) -> Image.Image:
    return picture.crop((50, 60, 50 + round(0.64 * SIDE), 60 + round(0.64 * SIDE)))


EDITS: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "untouched": (lambda p: p, "as it is"),
    "small": (lambda p: p.resize((200, 200)), "as it is"),
    "grey": (lambda p: p.convert("L"), "as it is"),
    "dark": (lambda p: ImageEnhance.Brightness(p).enhance(0.6), "as it is"),
    "mirror": (ImageOps.mirror, "mirrored"),
    "quarter": (lambda p: p.transpose(Image.Transpose.ROTATE_270), "turned by 90°"),
    "half": (lambda p: p.transpose(Image.Transpose.ROTATE_180), "turned by 180°"),
    "crop": (_cropped, "a part of it"),
    "mirrored crop": (lambda p: ImageOps.mirror(_cropped(p)), "mirrored, a part of it"),
    "collage": (_collage, "part of a collage"),
    "border": (lambda p: ImageOps.expand(p, 60, "white"), "in a larger picture"),
    "screenshot": (_screen, "in a larger picture"),
    "sticker": (_sticker, "as it is"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_picture_is_found_and_its_edit_named(edit: str) -> None:
    work, view = EDITS[edit]
    for number in range(2):
        found = search(work(scene(number)))
        assert [match.key for match in found] == [f"r{number}"]
        assert found[0].view == view
        assert found[0].confidence >= 0.5


def test_a_slight_turn_is_told_in_degrees() -> None:
    (found,) = search(scene(1).rotate(-12, Image.Resampling.BICUBIC, fillcolor="white"))
    assert found.key == "r1"
    words = found.view.split(",")[0]
    assert words.startswith("turned by ")
    assert abs(int(words.removeprefix("turned by ").removesuffix("°")) - 12) <= 1


def test_the_outlines_are_where_the_picture_was_put() -> None:
    (found,) = search(_collage(scene(2)))
    left, top = (min(corner[axis] for corner in found.listing_outline) for axis in (0, 1))
    right, bottom = (max(corner[axis] for corner in found.listing_outline) for axis in (0, 1))
    assert (left, top, right, bottom) == pytest.approx((0.5, 0.5, 1, 1), abs=0.02)
    (found,) = search(_cropped(scene(2)))
    left, top = (min(corner[axis] for corner in found.reference_outline) for axis in (0, 1))
    assert (left, top) == pytest.approx((50 / SIDE, 60 / SIDE), abs=0.02)


def test_other_pictures_are_not_found() -> None:
    for number in range(COUNT, 20):
        assert search(scene(number)) == []


def test_the_same_room_with_another_thing_is_not_found() -> None:
    for number in range(4):
        room = scene(number).copy()
        edge = round(SIDE * 0.12)
        inside = scene(number + 10).crop((edge, edge, SIDE - edge, SIDE - edge))
        mask = Image.new("L", inside.size, 0)
        ImageDraw.Draw(mask).ellipse((0, 0, *inside.size), fill=255)
        room.paste(inside, (edge, edge), mask)
        assert search(room) == []


def test_a_shared_watermark_is_no_match() -> None:
    def marked(number: int) -> Image.Image:
        picture = scene(number).copy()
        pen = ImageDraw.Draw(picture)
        for top in range(10, SIDE, 90):
            pen.text((20, top), "BEST SHOP 88   BEST SHOP 88", fill="white", font_size=28)
        return picture

    own = ReferenceIndex.build([Reference("marked", "reference", traits(decode(file(marked(1)))))])
    assert own.search(decode(file(marked(12)))) == []
    assert [f.key for f in own.search(decode(file(marked(1))))] == ["marked"]


def test_only_the_asked_for_references_are_found() -> None:
    assert [f.key for f in search(scene(3), frozenset({"r3", "r4"}))] == ["r3"]
    assert search(scene(3), frozenset({"r4"})) == []
    assert search(scene(3), frozenset()) == []
    assert search(scene(3), frozenset({"nobody"})) == []


def test_a_candidate_is_looked_at_closely_and_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = decode(file(ImageOps.mirror(scene(3).crop((60, 50, 330, 320)))))
    # What the corners' votes have overlooked.
    monkeypatch.setattr(Corners, "vote", lambda *_: [])
    assert index().search(cut) == []
    everything = [reference.key for reference in references()]
    (found,) = index().search(cut, None, [*everything, "not there"])
    assert (found.key, "mirrored" in found.view) == ("r3", True)
    assert found.inliers >= 5
    assert index().search(cut, frozenset({"r1"}), everything) == []
    assert index().search(decode(file(scene(COUNT + 2))), None, everything) == []


def test_a_collage_of_two_references_shows_both() -> None:
    sheet = Image.new("RGB", (2 * SIDE, SIDE))
    sheet.paste(scene(0), (0, 0))
    sheet.paste(scene(5), (SIDE, 0))
    found = search(sheet)
    assert sorted(f.key for f in found) == ["r0", "r5"]
    assert {f.view for f in found} == {"part of a collage"}


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_collages_cell_is_found_by_its_hash_where_corners_are_too_few(
    mirrored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReferenceIndex, "_by_corners", lambda *_: None)
    sheet = Image.new("RGB", (2 * SIDE, 2 * SIDE))
    for place, number in enumerate((COUNT, COUNT + 1, 3, COUNT + 2)):
        sheet.paste(scene(number), (place % 2 * SIDE, place // 2 * SIDE))
    (found,) = search(ImageOps.mirror(sheet) if mirrored else sheet)
    assert found.key == "r3"
    assert found.view == ("mirrored, part of a collage" if mirrored else "part of a collage")
    left = min(x for x, _ in found.listing_outline)
    assert left == pytest.approx(0.5 if mirrored else 0.0, abs=0.01)


def test_a_thing_cut_out_and_laid_on_another_ground_is_found() -> None:
    mask = Image.new("L", (SIDE, SIDE), 0)
    ImageDraw.Draw(mask).ellipse((40, 30, SIDE - 40, SIDE - 30), fill=255)
    for number in range(4):
        ground = Image.new("RGB", (SIDE, SIDE), (200, 60, 90))
        ground.paste(scene(number), mask=mask)
        assert [match.key for match in search(ground)] == [f"r{number}"]


@pytest.mark.parametrize(
    ("work", "upper_left"),
    [
        (lambda p: p, (0, 0)),
        (ImageOps.mirror, (1, 0)),
        (lambda p: p.transpose(Image.Transpose.ROTATE_180), (1, 1)),
        (lambda p: p.transpose(Image.Transpose.ROTATE_270), (1, 0)),
    ],
)
def test_where_the_hash_decides_all_of_both_is_outlined(
    work: Callable[[Image.Image], Image.Image],
    upper_left: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ReferenceIndex, "_by_corners", lambda *_: None)
    (found,) = search(work(scene(1)))
    assert found.inliers == 0
    assert found.reference_outline == ((0, 0), (1, 0), (1, 1), (0, 1))
    assert found.listing_outline[0] == upper_left
    assert {*found.listing_outline} == {*found.reference_outline}


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    index().save(tmp_path / "index")
    opened = ReferenceIndex.open(tmp_path / "index")
    assert len(opened) == COUNT
    for number in range(2):
        listing = decode(file(_screen(scene(number))))
        assert opened.search(listing) == index().search(listing)


def test_a_large_index_is_saved_and_filtered_too(tmp_path: Path) -> None:
    # Enough corners for the inverted file, which small indexes do without.
    known = [traits(decode(file(_noise(seed)))) for seed in range(8)]
    noise = [
        Reference(
            f"n{n}", "reference",
            # Other corners, for the price of a copy.
            replace(kept, descriptors=np.roll(kept.descriptors, n // 8, axis=1)),
        )
        for n, kept in enumerate(known * 6)
    ]  # fmt: skip
    built = ReferenceIndex.build([*references(), *noise])
    assert sum(len(item.traits.corners) for item in (*references(), *noise)) > 20_000
    built.save(tmp_path / "index")
    opened = ReferenceIndex.open(tmp_path / "index")
    listing = decode(file(ImageOps.mirror(_cropped(scene(1)))))
    for one in (built, opened):
        assert [f.key for f in one.search(listing)] == ["r1"]
        assert [f.key for f in one.search(listing, frozenset({"r1", "n4"}))] == ["r1"]
        assert one.search(listing, frozenset({"n4"})) == []


def _noise(seed: int) -> Image.Image:
    small = Image.frombytes("L", (40, 40), Random(seed).randbytes(1600))
    return small.resize((400, 400), Image.Resampling.BICUBIC)


def test_no_index_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no picture index"):
        ReferenceIndex.open(tmp_path)
    index().save(tmp_path)
    (tmp_path / "index.json").write_text('{"version": 99, "keys": []}')
    with pytest.raises(ValueError, match="build it anew"):
        ReferenceIndex.open(tmp_path)


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    empty = ReferenceIndex.build([])
    assert len(empty) == 0
    assert empty.search(decode(file(scene(0)))) == []
    empty.save(tmp_path)
    assert ReferenceIndex.open(tmp_path).search(decode(file(scene(0)))) == []


@pytest.mark.parametrize("size", [(16, 16), (17, 120)])
def test_a_picture_too_small_to_tell_is_not_found(size: tuple[int, int]) -> None:
    assert search(Image.new("RGB", size, "red")) == []


def test_plain_pictures_do_not_match_each_other() -> None:
    plain = Reference(
        "plain", "reference", traits(decode(file(Image.new("RGB", (400, 400), "red"))))
    )
    own = ReferenceIndex.build([plain])
    assert own.search(decode(file(Image.new("RGB", (400, 300), "blue")))) == []


def test_threads_may_share_an_index() -> None:
    listings = [decode(file(EDITS[edit][0](scene(1)))) for edit in ("mirror", "crop", "collage")]
    alone = [index().search(listing) for listing in listings]
    results: dict[int, list[Found]] = {}

    def work(number: int) -> None:
        results[number] = index().search(listings[number % 3])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[n] for n in range(6)] == alone * 2


def test_traits_that_went_through_a_database_find_the_same() -> None:
    stored = [
        Reference(item.key, item.kind, Traits.from_bytes(item.traits.to_bytes()))
        for item in references()
    ]
    listing = decode(file(_collage(scene(4))))
    assert ReferenceIndex.build(stored).search(listing) == index().search(listing)


def _logo(seed: int) -> Image.Image:
    """A made-up figurative mark with a word under it."""
    dice = Random(seed)
    mark = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(mark)
    colour = (dice.randrange(120), dice.randrange(120), dice.randrange(120))
    points = [(dice.randint(90, 310), dice.randint(10, 200)) for _ in range(7)]
    pen.polygon(points, fill=colour)
    pen.line(points[::2], fill=(220, 60, 60), width=9)
    pen.text((50, 210), "".join(dice.choices("ABEFGKLMNRSTVXZ", k=6)), colour, font_size=72)
    return mark


def test_a_logo_is_found_in_a_larger_photograph() -> None:
    logos = [Reference(f"logo{n}", "logo", traits(decode(file(_logo(n), 95)))) for n in range(4)]
    own = ReferenceIndex.build([*references(), *logos])
    photograph = scene(14).resize((640, 640))
    label = _logo(2).resize((260, 195)).rotate(7, Image.Resampling.BICUBIC, fillcolor="white")
    photograph.paste(label, (330, 60))
    (found,) = own.search(decode(file(photograph)))
    assert (found.key, found.kind) == ("logo2", "logo")
    assert "in a larger picture" in found.view
    left = min(corner[0] for corner in found.listing_outline)
    assert left == pytest.approx(330 / 640, abs=0.04)
    assert own.search(decode(file(scene(14)))) == []


def test_a_logo_over_a_fifth_of_the_width_is_found_where_it_is(tmp_path: Path) -> None:
    logos = [Reference(f"logo{n}", "logo", traits(decode(file(_logo(n), 95)))) for n in range(9)]
    own = ReferenceIndex.build([*references(), *logos])
    own.save(tmp_path)
    label = _logo(3).resize((160, 120), Image.Resampling.LANCZOS)
    photograph = scene(14).resize((800, 800))
    photograph.paste(label.rotate(-6, Image.Resampling.BICUBIC, fillcolor="white"), (500, 420))
    for one in (own, ReferenceIndex.open(tmp_path)):
        (found,) = one.search(decode(file(photograph)))
        assert (found.key, found.kind) == ("logo3", "logo")
        left = min(corner[0] for corner in found.listing_outline)
        assert left == pytest.approx(500 / 800, abs=0.02)
        assert one.search(decode(file(photograph)), frozenset({"logo1", "logo2"})) == []
        # Only references are asked for: what is found is none.
        assert one.search(decode(file(photograph)), frozenset({"r1"})) == []


def test_a_small_logo_that_shares_its_word_is_not_found() -> None:
    own = ReferenceIndex.build([Reference("logo", "logo", traits(decode(file(_logo(3), 95))))])
    other = _logo(5)
    # The word from the registered one, under another figure.
    other.paste(_logo(3).crop((0, 205, 400, 300)), (0, 205))
    for width in (160, 240, 320):
        photograph = scene(14).resize((800, 800))
        photograph.paste(other.resize((width, width * 3 // 4)), (400, 300))
        assert own.search(decode(file(photograph))) == []
