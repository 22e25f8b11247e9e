"""`python -m matchers.words.generate`: write `matchers/words/tables` from the sources.

The sources are not in the repository. They are packages:

- Debian `scowl`: English words by how common they are (`/usr/share/dict/scowl`).
- PyPI `confusable-homoglyphs`: Unicode's confusables.txt as JSON.
- PyPI `jieba`: Chinese words with frequencies (`jieba/dict.txt`).
- npm `dictionary-ru`: Russian words (`index.dic`).
- PyPI `faker`, `opencc-python-reimplemented`, `pypinyin`: in the development environment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matchers.words.generate import chinese, folding, words

TABLES = Path(__file__).parent.parent / "tables"


def main() -> None:
    """Write every table."""
    parser = argparse.ArgumentParser(
        prog="python -m matchers.words.generate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scowl", type=Path, required=True, help="folder usr/share/dict/scowl")
    parser.add_argument("--confusables", type=Path, required=True, help="confusables.json")
    parser.add_argument("--jieba", type=Path, required=True, help="jieba's dict.txt")
    parser.add_argument("--russian", type=Path, required=True, help="index.dic of dictionary-ru")
    where = parser.parse_args()
    TABLES.mkdir(exist_ok=True)
    fold = folding.table(where.confusables)
    folding.write(fold, TABLES / "fold.tsv")
    chinese.write_pinyin(where.jieba, TABLES / "pinyin.tsv")
    chinese.write_words(where.jieba, TABLES / "chinese.txt.gz")
    words.write(where.scowl, where.russian, fold, TABLES / "words.txt.gz")
    for path in sorted(TABLES.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
