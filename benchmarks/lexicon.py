"""The counterfeit lexicon, against what people write first: a list of words and a search.

Peers, with the same spellings: `in` on lower-case text, and one regular expression of all
with word boundaries. Sentences are our own (`tests/matchers/sentences.py`), so figures on
them are an upper bound; false alarms are counted on real titles, among which no fake is known.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Result, in_turn
from matchers.lexicon import find_lexicon, lexicon
from tests.matchers import sentences

DATA = Path(
    os.environ.get("TOUCHSTONE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
TITLES = DATA / "titles.jsonl"
#: The expression is slow.
TIMED = 300
#: For time only, where the real titles are not there.
SHORT_OF_TITLES = 40


def run() -> Iterator[Result]:
    """Sentences, then false alarms, then time."""
    spellings = sorted(
        {text.rstrip("*").casefold() for e in lexicon().entries for text in e.spellings()},
        key=lambda text: (-len(text), text),
    )
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(text)}" for text in spellings))

    def words(text: str) -> bool:
        folded = text.casefold()
        return any(spelling in folded for spelling in spellings)

    def expression(text: str) -> bool:
        return pattern.search(text.casefold()) is not None

    yield _sentences(words, expression, len(spellings))
    titles = _titles()
    if titles:
        yield _alarms(titles, words)
    else:
        yield Result(
            "false alarms of the lexicon on real titles", "not measured", "", f"no {TITLES}"
        )
    yield _time(titles or [t for _, t in sentences.SELLING] * SHORT_OF_TITLES, expression)


def _sentences(
    words: Callable[[str], bool], expression: Callable[[str], bool], count: int
) -> Result:
    selling = [text for _, text in sentences.SELLING] + [*sentences.HARDER_SELLING]
    quiet = [text for _, text in (*sentences.DENYING, *sentences.OTHERWISE)]
    quiet += sentences.HARDER_QUIET
    return Result(
        f"offers of what is not genuine, told from denials and other meanings "
        f"({len(selling)} and {len(quiet)} sentences of our own, {len(lexicon().entries)} entries)",
        _rates(lambda text: bool(find_lexicon(text)), selling, quiet),
        f"the {count} spellings by `in`: {_rates(words, selling, quiet)}; "
        f"by one expression: {_rates(expression, selling, quiet)}",
        "written by us: an upper bound",
    )


def _rates(found: Callable[[str], bool], selling: list[str], quiet: list[str]) -> str:
    right = sum(map(found, selling))
    wrong = sum(map(found, quiet))
    return f"precision {right / max(1, right + wrong):.3f}, recall {right / len(selling):.3f}"


def _alarms(titles: list[str], words: Callable[[str], bool]) -> Result:
    per = 10_000 / len(titles)
    severities = Counter(
        max(hit.entry.severity for hit in hits) for hits in map(find_lexicon, titles) if hits
    )
    ours = sum(severities.values()) * per
    by_severity = ", ".join(f"{severities[s] * per:.1f} of severity {s}" for s in (4, 3, 2, 1))
    naive = sum(map(words, titles)) * per
    return Result(
        f"titles with a counterfeit term, of {len(titles)} real ones, in 10,000",
        f"{ours:.1f} ({by_severity})",
        f"the same spellings by `in`: {naive:.1f}",
        f"{naive - ours:.1f} fewer than by `in`",
    )


def _time(titles: list[str], expression: Callable[[str], bool]) -> Result:
    some = titles[:TIMED]
    mine, theirs, ratio = in_turn(
        lambda: [find_lexicon(title) for title in some],
        lambda: [expression(title) for title in some],
        rounds=3,
    )
    return Result(
        f"searching {len(some)} titles for the lexicon's terms",
        f"{len(some) / mine:.0f} titles/s, with disguises and context",
        f"one expression, plain words: {len(some) / theirs:.0f} titles/s",
        ratio,
    )


def _titles() -> list[str]:
    if not TITLES.is_file():
        return []
    with TITLES.open(encoding="utf-8") as lines:
        return [json.loads(line)["title"] for line in lines]


if __name__ == "__main__":
    for result in run():
        print(f"{result.what}\n  ours: {result.ours}\n  peer: {result.peer}\n  {result.verdict}")
