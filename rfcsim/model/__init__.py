"""What a kernel does: address space, `mmap_sem` and system calls as step functions.

Jitted free functions over the arrays of :mod:`rfcsim.model.layout`. No time, no randomness, no
files, no allocation: the clock and the explorer of orders both run this very code.
"""
