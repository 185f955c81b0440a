"""Documents become tokens, tokens become sparse counts."""
