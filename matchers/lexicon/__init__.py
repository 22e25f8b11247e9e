"""The counterfeit lexicon: versioned data in many languages, found in context."""
