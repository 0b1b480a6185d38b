"""The explorer: a run of the reader's choice, live in JupyterLab, or from a grid of runs."""
