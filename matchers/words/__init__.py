"""Words: a brand's terms in any script and under disguise, marked in the original text."""
