"""The page about sweeps: its examples run, even on a cluster, and its file has the same grid."""

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from rfcsim.runs.sweep import sweep
from rfcsim.runs.sweep_file import read_sweep
from tests.house.project import ROOT

PAGE = (ROOT / "notebooks" / "reference" / "sweeps.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_examples_run(tmp_path: Path) -> None:
    script = tmp_path / "examples.py"
    first, cluster, statistics = examples("python")
    script.write_text("\n".join([first, statistics, cluster]))
    # It runs elsewhere, so it finds the package by its path; fewer runs do as well.
    source = script.read_text().replace("replications=20", "replications=3")
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{source}")
    patient = {f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{kind}": "1h" for kind in ("CONNECT", "TCP")}
    command = [sys.executable, str(script)]
    subprocess.run(command, cwd=tmp_path, env=os.environ | patient, check=True)
    assert len(pl.read_parquet(tmp_path / "rows.parquet"))

    (text,) = examples("toml")
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    read = read_sweep(plan)
    assert (read.replications, read.seed) == (20, 1)
    of_file = sweep(read.scenarios, read.over, replications=3, seed=read.seed)
    keys = ["kernel", "tasks.worker.count", "replication"]
    rows = pl.read_parquet(tmp_path / "rows.parquet")
    assert (
        of_file.drop("point")
        .sort(keys, maintain_order=True)
        .equals(rows.select(of_file.columns).drop("point").sort(keys, maintain_order=True))
    )
