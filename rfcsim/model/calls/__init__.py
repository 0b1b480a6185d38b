"""The step functions of the calls: system calls, user accesses and signals."""
