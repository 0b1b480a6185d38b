"""The one vocabulary of the model: what each column of each array means.

A module a name space: `state.tasks[task, reg.NEXT]`, `effect.UP`, `rule.BATCHES`. Every array of
the model is described here and nowhere else. Memory is counted in page numbers, never byte
addresses: one page is 4 KiB. Names and sizes come from the constants themselves (`complete`). What
the explorer must know of a call is in `reach`, and of a design's rule in `rule`.
"""
