"""The fields of `State.mm`: the address space of one process, and the kernel that serves it."""

from rfcsim.model.layout.complete import size_of

LOCKED_VM = 0  # pages charged to RLIMIT_MEMLOCK (mm->locked_vm)
TOTAL_VM = 1  # pages mapped (mm->total_vm)
MAP_COUNT = 2  # rows of vmas in use (mm->map_count)
MAX_MAP_COUNT = 3  # sysctl vm.max_map_count
LOCK_LIMIT = 4  # RLIMIT_MEMLOCK in pages; -1 is RLIM_INFINITY
CAP_IPC_LOCK = 5  # 1: the process may exceed the limit
NEXT_IDENTITY = 6  # the identity that the next mmap() gives its VMA
DESIGN = 7  # design.*, a sum of rule.*: how this kernel populates memory
BATCH_PAGES = 8  # pages per shared hold under rule.BATCHES
READAHEAD_PAGES = 9  # file->f_ra.ra_pages; 32 pages = 128 KiB in 2.6.36
DEF_FLAGS = 10  # VM_LOCKED after mlockall(MCL_FUTURE), else 0 (mm->def_flags)
MUTANT = 11  # mutant.*: a deliberate mistake in the patch, or 0
LOCK_POLICY = 12  # a sum of policy.*: how mmap_sem is granted

SIZE = size_of(vars())
