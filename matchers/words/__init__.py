"""Words: a brand's terms in any script and under disguise, marked in the original text.

`TermFinder` looks for all registered terms at once. Every hit says where it stands, what had to
be undone to see it, whether the brand is only named for what something fits, and whether a short
or common word has nothing around it that makes it the mark. No lexicon, no score: those are
`matchers.lexicon` and `matchers.assess`.
"""

from matchers.words.context import classes_of
from matchers.words.finder import TermFinder
from matchers.words.hits import Hit
from matchers.words.needles import check_term

#: Of the rules and tables together; an assessment keeps it.
VERSION = "2026.11.3"

__all__ = ["VERSION", "Hit", "TermFinder", "check_term", "classes_of"]
