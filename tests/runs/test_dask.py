"""A Dask cluster on this machine, with worker processes: the same bytes as threads."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest
from dask.config import set as configured
from distributed import Client, LocalCluster

from rfcsim.errors import SweepError
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL, killed_after_the_first

TWO_PROCESSES: dict[str, Any] = {
    "n_workers": 2,
    "threads_per_worker": 1,
    "processes": True,
    "dashboard_address": None,
    "host": "127.0.0.1",
}
PATIENT = {  # however busy the machine is
    "distributed.comm.timeouts.connect": "1h",
    "distributed.comm.timeouts.tcp": "1h",
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.allowed-failures": 0,
}
OVER = {"design": ["exclusive", "batched"], "batch_pages": [8, 64]}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        tempfile.TemporaryDirectory() as folder,
        configured(PATIENT),
        LocalCluster(local_directory=folder, **TWO_PROCESSES) as cluster,
        Client(cluster, timeout="1h") as client,
    ):
        yield client


def test_a_cluster_gives_the_same_bytes_as_threads(client: Client, tmp_path: Path) -> None:
    files = [tmp_path / "cluster.parquet", tmp_path / "threads.parquet"]
    workers: Any = client.run(os.getpid)
    assert len(set(workers.values()) | {os.getpid()}) == 3
    sweep(SMALL, OVER, replications=6, to=files[0], executor=client.get_executor())
    sweep(SMALL, OVER, replications=6, to=files[1])
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_worker_that_dies_takes_no_rows_along(client: Client, tmp_path: Path) -> None:
    files = [tmp_path / "cluster.parquet", tmp_path / "threads.parquet"]
    workers = client.get_executor()

    class Killed(Executor):
        def submit(self, fn, stretch, /):
            return workers.submit(killed_after_the_first, fn, stretch)

    with pytest.raises(SweepError, match=r"^executor died, KilledWorker: .* are safe in "):
        sweep(SMALL, OVER, replications=6, to=files[0], executor=Killed())
    for file in files:
        sweep(SMALL, OVER, replications=6, to=file)
    assert files[0].read_bytes() == files[1].read_bytes()
