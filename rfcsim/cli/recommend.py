"""What `recommend` prints of a measurement: how to lock memory on the kernel that was measured."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfcsim.cli.arguments import COSTS, MEASUREMENT
from rfcsim.cli.terminal import print_table, progress

if TYPE_CHECKING:
    import rfcsim


def recommend_from(
    measurement: Path, costs: Path | None, target_ns: int, confirm: bool, seed: int, as_json: bool
) -> bool:
    """Print how to lock memory; whether there is a way, and it kept the target."""
    import rfcsim

    measured = measurement_of(measurement)
    table = table_of(costs, measurement)
    with progress("comparing ways") as report:
        found = rfcsim.live.recommend(
            measured,
            p99_wait_ns=target_ns,
            costs=table,
            confirm=confirm,
            seed=seed,
            progress=report,
        )
    if as_json:
        fields = {
            "p99_wait_ns": target_ns,
            "pages": found.pages,
            "best": found.best,
            "kept": found.kept,
            "elsewhere": found.elsewhere,
            "text": found.text,
            "c": found.c_code,
            "python": found.python_code,
            "trials": found.trials.to_dicts(),
            "confirmed": found.confirmed.to_dicts(),
        }
        print(json.dumps(fields, indent=1))
    else:
        print_table(found.table())
        print(found.text)
        for language, code in (("C", found.c_code), ("Python", found.python_code)):
            if code:
                print(f"\nIn {language}:\n\n{code}")
    return found.best is not None and found.kept is not False


def measurement_of(file: Path) -> "rfcsim.Measurement":
    """Read a measurement; that its kernel is newer than the model is said on standard error."""
    import rfcsim

    measured = rfcsim.load_measurement(file)
    if note := rfcsim.calibrate(measured).note:
        print("rfcsim: note:", note, file=sys.stderr)
    return measured


def table_of(costs: Path | None, measurement: Path) -> "rfcsim.CostTable | None":
    """The cost table that was asked for, or that lies here; None: what is measured calibrates to.

    The one that lies here is taken only with the measurement that does: it is hardly of another.
    Which it is, is said on standard error.
    """
    import rfcsim

    if costs is None and measurement == MEASUREMENT and COSTS.exists():
        costs = COSTS
    table = None if costs is None else rfcsim.load_costs(costs)
    print(
        f"rfcsim: note: costs: {'calibrated from ' + str(measurement) if costs is None else costs}",
        file=sys.stderr,
    )
    return table
