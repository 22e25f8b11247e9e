"""The counterfeit lexicon: words by which sellers say that something is not genuine.

Versioned data in many languages (``terms/*.yaml``, ``context.yaml``), found under disguise by
one automaton, in context: negated, warned of and excused words do not count. May not enter:
a brand's own words (`matchers.words`), and what a hit weighs (`matchers.assess`).
"""

from matchers.lexicon.entries import Contexts, Entry, Lexicon, lexicon
from matchers.lexicon.search import LexiconHit, find_lexicon, languages

__all__ = ["Contexts", "Entry", "Lexicon", "LexiconHit", "find_lexicon", "languages", "lexicon"]
