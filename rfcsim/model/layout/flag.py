"""Arguments of calls beside VM_*, with the values of include/asm-generic/mman.h."""

MAP_POPULATE = 32768  # mmap: make the pages present
MAP_NONBLOCK = 65536  # remap_file_pages: do not
MLOCK_ONFAULT = 1  # mlock2: only set the flags
MCL_CURRENT = 1  # mlockall: lock what is mapped
MCL_FUTURE = 2  # mlockall: lock what will be mapped

# Where mremap may put a mapping, in place of the page of MREMAP_FIXED.
MREMAP_MAYMOVE = -1  # wherever there is room, if it cannot grow where it is
MREMAP_IN_PLACE = -2  # nowhere else
