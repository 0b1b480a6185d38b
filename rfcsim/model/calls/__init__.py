"""System calls, user accesses and signals: the step function of each."""
