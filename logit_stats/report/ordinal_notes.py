"""What a reader must know of an ordered response: its order, the kind of logit, and whose slopes are not shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.errors import listed

if TYPE_CHECKING:
    from logit_stats.design.categories import Categories
    from logit_stats.likelihoods.ordered import Ordered

_FORMS = {
    "cumulative": "logit P({y} <= j) = threshold - x'b",
    "adjacent": "log P({y} = j + 1) / P({y} = j) = threshold + x'b",
    "continuation": "logit P({y} > j | {y} >= j) = threshold + x'b",
}


def ordered_notes(name: str, categories: Categories, likelihood: Ordered) -> list[str]:
    """The order of the categories and what a coefficient means."""
    form = _FORMS[likelihood.kind].format(y=name)
    found = [
        f"Models {name} in the order {' < '.join(categories.names)}, {likelihood.name}: {form}; "
        f"a positive coefficient means higher categories. Thresholds are named by the categories that they part."
    ]
    if likelihood.own:
        found.append(f"Slopes of their own at every cut: {listed(sorted(likelihood.own), 8)}.")
    if categories.empty:
        found.append(f"Left out, because no row used has it: {name} = {listed([str(c) for c in categories.empty])}.")
    return found
