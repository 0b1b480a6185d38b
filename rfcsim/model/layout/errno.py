"""Error numbers that a call returns, negative as in the kernel.

Source: include/asm-generic/errno-base.h.
"""

EPERM = -1
EINTR = -4
EAGAIN = -11
ENOMEM = -12
EFAULT = -14
EINVAL = -22
ERESTARTSYS = -512  # include/linux/errno.h; user space never sees it
