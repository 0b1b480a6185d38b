"""The VM_* flags of a VMA, in `vma.FLAGS`. The bits are the model's own, not the kernel's."""

# Permissions.
READ = 1
WRITE = 2
EXEC = 4

GROWSDOWN = 8  # a stack
LOCKED = 16

# Untouchable, by `rfcsim.model.vma`: neither populated nor VM_LOCKED.
IO = 32
PFNMAP = 64

# Special: populated, never VM_LOCKED.
DONTEXPAND = 128
RESERVED = 256
HUGETLB = 512
GATE = 1024  # stands for "vma == get_gate_vma(current)"

# How a file is read ahead.
SEQ_READ = 2048
RAND_READ = 4096

LOCKONFAULT = 8192  # VM_LOCKED, but nothing is populated for it
NONLINEAR = 16384  # remap_file_pages has put pages out of the file's order
