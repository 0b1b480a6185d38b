"""Designs: how a kernel locks and populates memory, `state.mm[mm.DESIGN]`.

A design is a sum of rules (`rule.*`). BY_NAME has the names that a scenario may give.
"""

from rfcsim.model.layout import rule

EXCLUSIVE = 0  # 2.6.36: flags and pages under one exclusive hold
DOWNGRADE = rule.DOWNGRADES  # 2.6.28, reverted in 2.6.29-rc4
BATCHED = rule.SECOND_PASS | rule.BATCHES  # the RFC, November 2010
# Its second version, December 2010, on top of 2.6.37.
CONTENDED = rule.SECOND_PASS | rule.CONTENDED | rule.DISK | rule.ANY_VMA | rule.FAULT_RETRY
# 2.6.38: what was merged.
FAULT_RETRY = rule.SECOND_PASS | rule.DISK | rule.ANY_VMA | rule.HIDES_ERRORS | rule.FAULT_RETRY
MM_POPULATE = FAULT_RETRY | rule.MAP_AFTERWARDS  # 3.9
VMA_LOCK = (  # 4.20, 5.18, 6.4
    MM_POPULATE | rule.UNMAP_DOWNGRADES | rule.WALKS_PRESENT | rule.VMA_LOCK
)
BY_NAME = {
    "downgrade": DOWNGRADE,
    "exclusive": EXCLUSIVE,
    "batched": BATCHED,
    "contended": CONTENDED,
    "fault-retry": FAULT_RETRY,
    "mm-populate": MM_POPULATE,
    "vma-lock": VMA_LOCK,
}
