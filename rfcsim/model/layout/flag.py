"""Flags that calls take as arguments, apart from VM_*.

The values are those of include/asm-generic/mman.h. MREMAP_* are the model's own.
"""

MAP_POPULATE = 32768  # mmap: make the pages present
MAP_NONBLOCK = 65536  # remap_file_pages: do not make the pages present
MLOCK_ONFAULT = 1  # mlock2: only set the flags
MCL_CURRENT = 1  # mlockall: lock what is mapped
MCL_FUTURE = 2  # mlockall: lock what will be mapped

# The last argument of mremap: the new first page, for MREMAP_FIXED, or one of these.
MREMAP_MAYMOVE = -1  # wherever there is room, if it cannot grow where it is
MREMAP_IN_PLACE = -2  # nowhere else
