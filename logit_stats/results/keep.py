"""Saving and loading results."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

from logit_stats.errors import DataError, NotAvailableError

_OLDER = (
    "it was written by another version of logit_stats, whose results lie in other modules or fields ({error}). Fit the model "
    "again and save it anew; what lasts beyond a version are its tables, tidy() and glance()"
)


def save(results: Any, path: Any, remove_data: bool = False) -> None:
    """Write any result of this package to a file, beside it first: an older file stays until the new one is whole.

    Parameters
    ----------
    results : result of a fit
    path : str, Path or open binary file
    remove_data : bool
        Leave the rows out, as ``remove_data()`` does: the file is small, and says nothing of single observations.

    Raises
    ------
    NotAvailableError
        If the formula uses a function that cannot be kept (one defined in a function, or a lambda), or the rows cannot be left
        out.
    """
    kept = results.remove_data() if remove_data else results
    try:
        content = pickle.dumps(kept, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotAvailableError(
            f"The result cannot be saved, because its formula uses something that cannot be: {error}. "
            f"Move functions that the formula uses to the top of a module."
        ) from error
    if hasattr(path, "write"):
        path.write(content)
    else:
        _replace(Path(path), content)


def _replace(path: Path, content: bytes) -> None:
    """Write beside, then rename: whoever looks finds the older file or the newer one, never a part."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _as_others(file.name, path)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _as_others(made: str, path: Path) -> None:
    """Give a temporary file the permissions of the file it replaces, or those that a new file has."""
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    Path(made).chmod(mode)


def load(path: Any) -> Any:
    """Read any result that its ``save()``, or `logit_stats.save`, wrote. Load only files that you trust: unpickling can run code.

    Parameters
    ----------
    path : str, Path or open binary file

    Raises
    ------
    DataError
        If the file holds something else, or results of another version that this one cannot read.
    """
    from logit_stats.results.finished import Finished

    try:
        results = pickle.load(path) if hasattr(path, "read") else pickle.loads(Path(path).read_bytes())
    except (pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"{path} is no saved result: {error}") from error
    except (ImportError, AttributeError, TypeError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {_OLDER.format(error=error)}.") from error
    if not type(results).__module__.startswith("logit_stats."):
        raise DataError(f"{path} holds a {type(results).__name__}, not a saved result.")
    if isinstance(results, Finished) and not {"covariance_", "estimate"} & set(results.__dict__):
        raise DataError(f"{path} cannot be read: {_OLDER.format(error='a field is missing')}.")
    return results
