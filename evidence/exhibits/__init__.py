"""The exhibit bag of a case: what belongs in it, its papers for people, what is sealed in it."""
