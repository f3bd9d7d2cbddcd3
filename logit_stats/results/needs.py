"""`needs`: what an answer takes for granted of a fit, said where the answer stands and asked before it is given."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

Method = TypeVar("Method", bound=Callable[..., Any])


def needs(*facts: str) -> Callable[[Method], Method]:
    """Let a method (or what a property is made of) answer only where these facts hold; see `Facts.require`."""

    def guarded(method: Method) -> Method:
        @wraps(method)
        def answer(self: Any, *args: Any, **settings: Any) -> Any:
            self.facts.require(method.__name__, *facts)
            return method(self, *args, **settings)

        return cast(Method, answer)

    return guarded
