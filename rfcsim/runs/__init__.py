"""Scenarios in virtual time: one run, replications, sweeps, and what their figures say."""
