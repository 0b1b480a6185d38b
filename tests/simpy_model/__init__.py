"""The lock alone, in another simulator: SimPy."""
