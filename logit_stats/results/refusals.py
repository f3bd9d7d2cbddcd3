"""What a result does not answer: attributes that say why, and what can be had instead."""

from __future__ import annotations

from typing import Any

from logit_stats.errors import NotAvailableError


class NotAnsweredError(NotAvailableError, AttributeError):
    """A question that a model does not answer; for ``hasattr`` the name is not there."""


class Refused:
    """A name of other results that this one does not have.

    Parameters
    ----------
    what : str
        The subject of the sentence.
    *needs : str
        Facts that the question needs (see `Facts.require`).
    words : str, optional
        Why not, and what instead, where no fact says it.
    """

    def __init__(self, what: str, *needs: str, words: str = "") -> None:
        self.what, self.needs, self.words = what, needs, words
        self.__doc__ = "Not available for this model."

    def __get__(self, instance: Any, owner: Any = None) -> Refused:
        if instance is None:
            return self
        try:
            instance.fit_.facts.require(self.what, *self.needs)
        except NotAvailableError as error:
            raise NotAnsweredError(str(error)) from None
        raise NotAnsweredError(f"{self.what} {self.words or 'is not there for this model'}.")


def refused(what: str, *needs: str, words: str = "") -> Any:
    """Return a `Refused`, of any type: it stands in the place of methods and properties alike."""
    return Refused(what, *needs, words=words)


def not_there(res: object, name: str) -> AttributeError:
    """The error for a name that a result does not have: in words where results of `logit` have it."""
    kind = type(res).__name__
    plain = AttributeError(f"{kind!r} object has no attribute {name!r}")
    if name.startswith("_"):
        return plain
    from logit_stats.results.logit import LogitResults

    if not hasattr(LogitResults, name):
        return plain
    return NotAnsweredError(
        f"{name} is not there for {kind}: it is asked of results of logit(), whose rows are independent and whose coefficients "
        f"are all of the model. help({kind}) lists what there is."
    )
