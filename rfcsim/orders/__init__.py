"""Scenarios over all orders of steps: claims, the schedules that break them, walks by hand."""
