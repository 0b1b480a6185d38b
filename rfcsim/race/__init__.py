"""The model over all orders of steps: the checker, claims, and the schedules that break them."""
