"""Scenarios, runs of them, and what they find."""
