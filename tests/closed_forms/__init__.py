"""The engine against formulas that hold whatever it does internally."""
