"""Questions that take many runs: which batch size, which design, which call site."""
