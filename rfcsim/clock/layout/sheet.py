"""How far the arrays of rows and buckets are filled: `filled` of rfcsim.clock.replications."""

FILLED = 0  # rows in use
LISTED = 1  # buckets in use: those of one row after those of another
