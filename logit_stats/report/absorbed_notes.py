"""The notes under the summary of absorbed effects, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.report.notes import design_notes

if TYPE_CHECKING:
    from logit_stats.results.absorbed import AbsorbedLogitResults

# With fewer rows a group than this the bias of the coefficients is worth a word.
FEW_ROWS = 20.0


def absorbed_notes(res: AbsorbedLogitResults) -> list[str]:
    """Notes of a fit with absorbed effects, the most general first."""
    fit, effects = res.fit_, res.fit_.effects
    counts = [f"{levels} of {name}" for name, levels in zip(effects.factors, effects.grouping.levels, strict=True)]
    found = [note for note in design_notes(fit) if not note.startswith("Left out") or _dropped(res)]
    found.append(
        f"Absorbed effects: {', '.join(counts)} ({fit.absorbed_parameters} parameters). The null model has them alone."
    )
    rows = fit.design.rows / effects.grouping.levels[0]
    if fit.correction is not None:
        found.append(
            "Coefficients are corrected for their bias (Fernandez-Val and Weidner 2016); log-likelihood, fitted values and "
            "errors are those of the uncorrected fit."
        )
    elif rows < FEW_ROWS:
        found.append(
            f"With {rows:.3g} rows a group of {effects.factors[0]} coefficients are biased away from zero (incidental "
            f'parameters); bias_correction="analytical" corrects them, clogit() has no such bias.'
        )
    if res.covariance_.description:
        found.append(f"Covariance {res.covariance_.description}.")
    found += list(res.covariance_.notes)
    if not fit.converged:
        found.append(f"NOT CONVERGED: {fit.decrement:.2g} standard errors from the maximum.")
    return found


def _dropped(res: AbsorbedLogitResults) -> bool:
    return any(name not in ("Intercept", "const") for name in res.fit_.design.left_out)
