"""The model over all orders of steps: an explorer, claims, and the schedules that break them."""
