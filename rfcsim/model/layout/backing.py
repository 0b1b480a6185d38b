"""What is behind a VMA, in `vma.BACKING`."""

ANON = 0
FILE = 1
