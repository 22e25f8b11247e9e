"""The judge of runs: what it must see, what it must not, on runs that are drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.health.fields import Coverage
from crawler.health.symptoms import LEAST_RUNS, Figures, Finding, PageCounts, look

PROMISED = ("price", "currency", "pictures")


def figures(
    listings: int = 40,
    *,
    fields: dict[str, int] | None = None,
    unread: int = 0,
    walls: int = 0,
    errors: int = 0,
    lists: tuple[int, int] = (6, 6),
    list_unread: int = 0,
    list_walls: int = 0,
    new: int = 0,
    found: int | None = None,
    whole: bool = True,
) -> Figures:
    """A run; `fields` says of how many listings a field was filled, all of them if it is left."""
    filled = {"price": listings, "currency": listings, "pictures": listings, "seller": listings}
    filled |= fields or {}
    leading, read = lists
    return Figures(
        kinds={
            "list": PageCounts(read, list_unread, list_walls, {"links": (leading, read)}),
            "listing": PageCounts(
                listings, unread, walls, {name: (n, listings) for name, n in filled.items()}
            ),
        },
        listings=listings,
        new=new,
        errors=errors,
        found=found,
        whole=whole,
    )


def ill(now: Figures, before: Sequence[Figures]) -> list[tuple[str, str, str]]:
    findings = look(now, before, before, PROMISED)
    assert all(isinstance(one, Finding) for one in findings)
    return [(one.kind, one.page, one.field) for one in findings if not one.well]


HEALTHY = [figures(n) for n in (40, 42, 39, 41)]


def test_a_field_that_vanishes_is_seen_in_that_run() -> None:
    assert ill(figures(fields={"seller": 2}), HEALTHY) == [("field", "listing", "seller")]
    assert ill(figures(fields={"price": 0, "currency": 0}), HEALTHY) == [
        ("field", "listing", "currency"),
        ("field", "listing", "price"),
    ]


def test_the_first_run_on_another_layout_is_seen_by_what_is_promised() -> None:
    assert ill(figures(fields={"price": 1, "currency": 1, "seller": 0}), []) == [
        ("field", "listing", "currency"),
        ("field", "listing", "price"),
    ]
    assert ill(figures(3, unread=37), []) == [("unread", "listing", "")]
    assert ill(figures(0, lists=(0, 0), list_unread=1), []) == [("unread", "list", "")]
    assert ill(figures(0, lists=(0, 6)), []) == [("empty", "list", "")]


def test_walls_and_errors_are_seen() -> None:
    assert ill(figures(20, walls=20), HEALTHY) == [("walls", "", "")]
    assert ("walls", "", "") in ill(figures(0, lists=(0, 0), list_walls=2), [])
    assert ill(figures(40, errors=40), HEALTHY) == [("errors", "", "")]


def test_results_that_are_empty_all_at_once_are_seen() -> None:
    assert ill(figures(0, lists=(0, 6)), HEALTHY) == [("empty", "list", ""), ("found", "list", "")]
    one_query = [figures(8, lists=(1, 1)) for _ in range(3)]
    assert ("empty", "list", "") in ill(figures(0, lists=(0, 1)), one_query)


def test_everything_new_at_once_is_seen() -> None:
    assert ill(figures(40, new=40), HEALTHY) == [("new", "listing", "")]
    assert ill(figures(40, new=40), []) == [], "the first run finds everything new"


def test_a_small_run_alarms_nobody() -> None:
    assert ill(figures(3, fields={"price": 0}, unread=1, errors=1, lists=(1, 1)), []) == []
    assert ill(figures(2, unread=1, lists=(1, 1)), [figures(3, lists=(1, 1))] * 4) == []


def test_few_pages_none_of_which_can_be_read_are_seen() -> None:
    assert ill(figures(0, unread=4, found=40), HEALTHY) == [("unread", "listing", "")]
    assert ill(figures(0, unread=2, found=40), []) == [("unread", "listing", "")]
    one = figures(0, unread=1, found=40)
    assert ill(one, HEALTHY) == [], "a single page proves nothing"
    assert ill(one, [*HEALTHY, one]) == [("unread", "listing", "")], "one in each run does"
    assert ill(one, [one, *HEALTHY]) == []
    assert ill(replace(figures(0, unread=2, found=40), revalidated=1), HEALTHY) == []


def test_a_run_that_was_cut_short_found_no_less() -> None:
    assert ill(figures(5, found=5, whole=False), HEALTHY) == []
    assert ill(figures(5, found=5), HEALTHY) == [("found", "list", "")]


def test_a_plan_that_asks_for_less_than_before_may_find_less() -> None:
    before = [replace(one, asked=6) for one in HEALTHY]
    assert ill(replace(figures(4, lists=(1, 1)), asked=1), before) == []
    assert ill(replace(figures(0, lists=(0, 1)), asked=1), before) == []
    assert ill(replace(figures(5), asked=5), before) == [("found", "list", "")]


@st.composite
def shops(draw: st.DrawFn) -> list[Figures]:
    """Runs of one shop with shares of its own, of which each run has a little more or less."""
    rare, usual = draw(st.floats(0.0, 0.4)), draw(st.floats(0.85, 1.0))
    size = draw(st.integers(20, 300))
    runs = []
    for _ in range(draw(st.integers(LEAST_RUNS + 1, 12))):
        n = round(size * draw(st.floats(0.75, 1.25)))
        near = draw(st.floats(-0.05, 0.05))
        filled = {
            "price": round(n * min(1.0, max(0.0, usual + near))),
            "seller": round(n * min(1.0, max(0.0, rare + near))),
        }
        runs.append(
            figures(
                n,
                fields=filled,
                unread=draw(st.integers(0, n // 20)),
                errors=draw(st.integers(0, n // 20)),
                new=draw(st.integers(0, n // 3)),
            )
        )
    return runs


@settings(max_examples=300)
@given(runs=shops())
def test_a_shop_that_varies_a_little_is_healthy(runs: list[Figures]) -> None:
    *before, now = runs
    assert ill(now, before) == []


@settings(max_examples=300)
@given(runs=shops(), lost=st.sampled_from(["price", "currency", "pictures"]))
def test_a_field_that_is_lost_is_always_seen(runs: list[Figures], lost: str) -> None:
    *before, now = runs
    gone = dict(now.of("listing").fields) | {lost: (0, now.listings)}
    kinds = {**now.kinds, "listing": PageCounts(now.listings, 0, 0, gone)}
    broken = Figures(kinds, now.listings, now.new, now.errors)
    assert ("field", "listing", lost) in ill(broken, before)


_counts = st.builds(
    PageCounts,
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 500),
    st.dictionaries(
        st.sampled_from(["links", "price", "seller", "title"]),
        st.integers(0, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))),
    ),
)
_figures = st.builds(
    Figures,
    st.dictionaries(st.sampled_from(["list", "listing", "seller"]), _counts),
    st.integers(0, 1000),
    st.integers(0, 2000),
    st.integers(0, 1000),
    st.none() | st.integers(0, 1000),
    st.booleans(),
)


@given(now=_figures, before=st.lists(_figures, max_size=12))
def test_any_figures_are_judged(now: Figures, before: list[Figures]) -> None:
    findings = look(now, before, before[::2], PROMISED)
    keys = [(one.kind, one.page, one.field) for one in findings]
    assert len(keys) == len(set(keys)), "one word on each thing"


def test_coverage_counts_keeps_samples_and_goes_on(blobs) -> None:  # type: ignore[no-untyped-def]
    coverage = Coverage()
    for number in range(8):
        coverage.saw(
            "listing", {"price": False, "seller": number > 0}, f"https://m/{number}", b"<p>x" * 9
        )
    coverage.unread("list", "https://m/a\0b", "no\0thing", b"y" * (3 << 20))
    coverage.unread("list", "https://m/c", "captcha", b"z", wall=True)
    coverage.keep(blobs)
    coverage.keep(blobs)
    said = coverage.to_json()
    assert said["kinds"]["listing"] == {
        "read": 8, "unread": 0, "walls": 0, "fields": {"price": [0, 8], "seller": [7, 8]},
    }  # fmt: skip
    assert (said["kinds"]["list"]["unread"], said["kinds"]["list"]["walls"]) == (1, 1)
    assert [(one["kind"], one["why"]) for one in said["samples"]] == [
        ("list", "nothing"), ("list", "captcha"), ("listing", "without price, seller"),
    ]  # fmt: skip
    assert "\0" not in str(said)
    with blobs.open(said["samples"][0]["blob"]) as stream:
        assert len(stream.read()) == 1 << 20
    again = Coverage(said)
    again.saw("listing", {"price": True})
    both = Coverage()
    both.add(said)
    both.add(again.to_json())
    assert both.to_json()["kinds"]["listing"]["fields"]["price"] == [1, 17]
    assert again.to_json()["samples"] == said["samples"]


def test_a_run_to_which_not_one_page_came() -> None:
    (finding,) = look(Figures({}, errors=1, why="it does not answer"), [], [], ())
    assert (finding.kind, finding.well) == ("errors", False)
    assert finding.seen == "no page came: 1 page could not be had, mostly: it does not answer"
