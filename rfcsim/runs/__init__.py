"""Scenarios in virtual time: single runs, replications and sweeps, and what their figures say."""
