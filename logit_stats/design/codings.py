"""How the factors of a formula are coded: by indicators of levels, or by contrasts whose coefficients compare something else."""

from __future__ import annotations

import numpy as np

from logit_stats.design.design import Design


def factors_without_reference(design: Design) -> tuple[str, ...]:
    """Factors coded otherwise than by indicators of their levels (``Sum``, ``Poly``, ``Helmert``, a matrix of one's own).

    Exp of a coefficient of such a factor is no odds ratio of one level against another.
    """
    if design.formula is None:
        return ()
    found: dict[str, None] = {}
    for codings in design.formula.info.term_codings.values():
        for coding in codings:
            for factor, contrast in coding.contrast_matrices.items():
                matrix = np.asarray(contrast.matrix)
                indicators = ((matrix == 0.0) | (matrix == 1.0)).all() and (matrix.sum(axis=0) == 1.0).all()
                if not indicators:
                    found[factor.name()] = None
    return tuple(found)


def words_of_codings(names: tuple[str, ...]) -> str:
    """What is to be said beside exponentiated coefficients of these factors."""
    return (
        f"Coefficients of {', '.join(names)} are contrasts, not differences from a reference level: exp(coef) is no odds ratio "
        f"of one level against another. odds_ratios(units={{variable: None}}) and t_test_pairwise() compare levels."
    )
