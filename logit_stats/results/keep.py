"""Saving and loading results."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from logit_stats.errors import DataError, NotAvailableError

if TYPE_CHECKING:
    from logit_stats.results.absorbed import AbsorbedLogitResults
    from logit_stats.results.conditional import ConditionalLogitResults
    from logit_stats.results.gee import GEEResults
    from logit_stats.results.limit import LimitResults
    from logit_stats.results.logit import LogitResults
    from logit_stats.results.mixed import MixedResults
    from logit_stats.results.multinomial import MNLogitResults

    Saved: TypeAlias = (
        LogitResults | LimitResults | MNLogitResults | ConditionalLogitResults | AbsorbedLogitResults
        | GEEResults | MixedResults
    )  # fmt: skip


def save(
    results: Saved,
    path: str | Path,
) -> None:
    """Write results to a file.

    Raises
    ------
    NotAvailableError
        If the formula uses a function that cannot be kept (one defined in a function, or a lambda).
    """
    try:
        content = pickle.dumps(results, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotAvailableError(
            f"The result cannot be saved, because its formula uses something that cannot be: {error}. "
            f"Move functions that the formula uses to the top of a module."
        ) from error
    Path(path).write_bytes(content)


def load(
    path: str | Path,
) -> Saved:
    """Read results that `LogitResults.save` wrote. Load only files that you trust: unpickling can run code.

    Raises
    ------
    DataError
        If the file holds something else.
    """
    from logit_stats.results.absorbed import AbsorbedLogitResults
    from logit_stats.results.conditional import ConditionalLogitResults
    from logit_stats.results.gee import GEEResults
    from logit_stats.results.limit import LimitResults
    from logit_stats.results.logit import LogitResults
    from logit_stats.results.mixed import MixedResults
    from logit_stats.results.multinomial import MNLogitResults

    with Path(path).open("rb") as file:
        try:
            results = pickle.load(file)
        except (pickle.UnpicklingError, EOFError) as error:
            raise DataError(f"{path} is no saved result: {error}") from error
    known = (
        LogitResults, LimitResults, MNLogitResults, ConditionalLogitResults, AbsorbedLogitResults, GEEResults, MixedResults
    )  # fmt: skip
    if not isinstance(results, known):
        raise DataError(f"{path} holds a {type(results).__name__}, not a saved result.")
    return results
