"""What a user describes: regions of memory, tasks and their calls, costs, a kernel."""
