"""What takes more packages than the package itself needs, and how to install those."""

from importlib import import_module

from rfcsim.errors import RfcsimError

# The extra of pyproject.toml that brings each of them.
EXTRAS = {
    "anywidget": "notebooks",
    "ipykernel": "notebooks",
    "ipywidgets": "notebooks",
    "papermill": "notebooks",
}


def require(what: str, *packages: str) -> None:
    """Import packages that an extra brings.

    Parameters
    ----------
    what : str
        The function or command that cannot do without.
    packages : str
        Keys of EXTRAS.

    Raises
    ------
    RfcsimError
        One line: the first that is not installed, and what installs it.
    """
    for package in packages:
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:  # it is installed, and itself lacks something
                raise
            install = f"pip install 'rfcsim[{EXTRAS[package]}]'"
            raise RfcsimError(f"{what}: needs {package}: {install}") from None
