"""What is wrong with an input, said in one line."""

from typing import Any


class RfcsimError(ValueError):
    """An input that cannot be used; the message is one line that says which and what is allowed."""


class ScenarioError(RfcsimError):
    """A scenario, or the file that holds it, breaks a rule."""


class CostTableError(RfcsimError):
    """A cost table is unknown, unreadable or incomplete."""


class TraceError(RfcsimError):
    """A trace of a real kernel is cut off, lacks what is needed, or is no trace."""


class LiveError(RfcsimError):
    """The kernel, the machine or its settings do not allow what was asked of them."""


class SweepError(RfcsimError):
    """A sweep cannot go on; the message says which rows are safe.

    Attributes
    ----------
    rows : polars.DataFrame
        The rows that it has, in the grid's order.
    """

    def __init__(self, message: str, rows: Any) -> None:
        super().__init__(message)
        self.rows = rows


class NotebookError(RfcsimError):
    """A notebook does not exist, does not take a parameter, or failed with it."""
