"""The lock by itself, in another simulator: SimPy."""
