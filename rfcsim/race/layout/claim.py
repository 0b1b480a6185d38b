"""Claims that are checked state by state: the index of `Search.violated`."""

from rfcsim.model.layout.complete import names_of

MLOCKED = 0  # no page is mlocked outside a VM_LOCKED VMA
CHARGED = 1  # the pages of VM_LOCKED VMAs add up to locked_vm
COMPLETE = 2  # if mlock returned 0 and nobody interfered, all pages are present and mlocked
PROGRESS = 3  # nobody waits for ever

NAMES = names_of(vars())
COUNT = len(NAMES)
