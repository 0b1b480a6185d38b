"""Which tests `make quick` runs: `python -m tests.quick` prints them.

Most of the time of `make test` goes to compiling, SPIN, Chromium, the notebooks, examples by the
thousand, and processes that are started to look at one thing. The tests below are the rest: they
test each part of the package by itself, on small scenarios. Compiling is most of their time too, so
they compile one thing: the step functions with the clock.
"""

# What takes longest comes first, so that no process is left alone with it at the end.
QUICK = {
    "tests/test_cli.py": "each command: what it prints, and bad input in one line",
    "tests/charts": "each chart: its marks, its words, and what it refuses",
    "tests/scenario": "what a user can describe, and the messages for what is wrong with it",
    "tests/runs": "a run and its figures, replications, grids and statistics",
    "tests/model": "what a kernel does, move by move",
    "tests/trace": "the event frame, blame, Perfetto, and the reader of real traces",
    "tests/house/test_style.py": "layers and style",
    "tests/house/test_dependencies.py": "the lock and environment.yml",
    "tests/house/test_nothing_forgotten.py": "what is added in one place and needed in another",
    "tests/house/test_entrance.py": "make and the entry points",
    "tests/house/test_patience.py": "tests that a busy machine would break",
    "tests/clock": "the model in virtual time: lock policies, parts, restarts",
    "tests/live/test_limits.py": "what a process may do to a real kernel",
    "tests/live/test_record.py": "recording, with a tracefs that is made for it",
    "tests/test_arguments.py": "wrong arguments, in one line",
    "tests/test_cli_help.py": "the help of each command",
    "tests/test_data.py": "the files that come with the package",
    "tests/test_duration.py": "durations in words",
}
LEFT_OUT = {
    "tests/charts/test_renderer.py": "draws each chart in each format",
    "tests/runs/test_dask.py": "starts a cluster",
    "tests/runs/test_progress.py": "starts the kernel of a notebook",
    "tests/runs/test_quantiles.py": "simulates a queue for as long as statistics take",
    "tests/runs/test_store.py": "kills a sweep at each of its steps",
    "tests/runs/test_sweep.py": "starts processes",
    "tests/trace/test_properties.py": "examples by the thousand",
    "tests/trace/test_real_traces.py": "reads each long trace",
}


def main() -> None:
    print(*QUICK, *(f"--ignore={name}" for name in LEFT_OUT))


if __name__ == "__main__":
    main()
