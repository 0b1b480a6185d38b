"""Traces, simulated or recorded: the frame of their events, blame for waits, and other formats."""
