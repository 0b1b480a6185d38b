"""Traces, simulated or recorded: one frame of events, whom its waits are due to, other formats."""
