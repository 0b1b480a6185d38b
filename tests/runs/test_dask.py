"""A Dask cluster on this machine, with worker processes: the same bytes as threads."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dask.config import set as configured
from distributed import Client, LocalCluster

from rfcsim.errors import SweepError
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL

TWO_PROCESSES: dict[str, Any] = {
    "n_workers": 2,
    "threads_per_worker": 1,
    "processes": True,
    "dashboard_address": None,
    "host": "127.0.0.1",
}
OVER = {"design": ["exclusive", "batched"], "batch_pages": [8, 64]}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        tempfile.TemporaryDirectory() as folder,
        configured({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(local_directory=folder, **TWO_PROCESSES) as cluster,
        Client(cluster) as client,
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
    longer = SMALL.replace(**{"tasks.victim.repeats": 5_000})  # milliseconds per run
    files = [tmp_path / "cluster.parquet", tmp_path / "threads.parquet"]
    workers: Any = client.run(os.getpid)

    def kill(share: float) -> None:
        if 0 < share < 0.5:
            for worker in workers.values():
                os.kill(worker, signal.SIGKILL)

    with pytest.raises(SweepError, match=r"^executor died, KilledWorker: .* are safe in "):
        sweep(
            longer,
            OVER,
            replications=6,
            to=files[0],
            executor=client.get_executor(),
            progress=kill,
        )
    for file in files:
        sweep(longer, OVER, replications=6, to=file)
    assert files[0].read_bytes() == files[1].read_bytes()
