"""A small scenario that the tests of this folder change."""

from rfcsim.experiment.scenario import Scenario

TEXT = """\
name = "small"
costs = "anon-2010"
cpus = 2

[[regions]]
name = "data"
pages = 100

[[regions]]
name = "arena"
pages = 8
one_per = "victim"

[[tasks]]
name = "locker"

[[tasks.calls]]
call = "mlock"
region = "data"

[[tasks]]
name = "victim"
count = 3
repeats = 20
start_ns = 10_000
start = "exponential"

[[tasks.calls]]
call = "touch"
region = "arena"
pick = "random"
think_ns = 2_000
think = "exponential"

[[tasks.calls]]
call = "hold"
mode = "shared"
hold_ns = 50
"""

SMALL = Scenario.from_toml_text(TEXT)
