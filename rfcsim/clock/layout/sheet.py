"""How far the rows of a run are filled."""

FILLED = 0  # how many rows there are ...
LISTED = 1  # ... and how many buckets they list, one row's behind another's
