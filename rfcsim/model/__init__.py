"""What a kernel does: address space, `mmap_sem` and system calls as step functions.

The step functions are jitted free functions over the arrays that :mod:`rfcsim.model.layout`
describes. They know no time, draw no random number, read no file and allocate nothing, so the clock
and the checker both run this very code.
"""
