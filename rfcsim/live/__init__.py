"""A real kernel beside the simulated one."""

from rfcsim.live.ftrace import read_trace

__all__ = ["read_trace"]
