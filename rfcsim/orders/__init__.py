"""Scenarios over all orders of steps: claims, schedules that break them, and single walks."""
