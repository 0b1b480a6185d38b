"""What the pages of a VMA come from: the value of `vma.BACKING`, and an argument of `mmap`."""

ANON = 0  # anonymous memory
FILE = 1  # a file, by way of the page cache
