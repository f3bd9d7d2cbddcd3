"""Types of the compiled kernel; None stands for what is not there or not wanted. Arrays are float64."""

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray

def rows(
    instruction_set: int,
    X: FloatArray,
    successes: FloatArray | None,
    trials: FloatArray | None,
    weight: FloatArray | None,
    offset: FloatArray | None,
    codes: NDArray[np.int64] | None,
    gamma: FloatArray | None,
    center: FloatArray | None,
    scale: FloatArray | None,
    root: FloatArray | None,
    eta: FloatArray | None,
    residual: FloatArray | None,
    information_weight: FloatArray | None,
    terms: FloatArray | None,
    form: FloatArray | None,
    score: FloatArray | None,
    information: FloatArray | None,
    code_sums: FloatArray | None,
    /,
) -> tuple[float, float]: ...
def functions(instruction_set: int, x: FloatArray, exp: FloatArray, log1p: FloatArray, /) -> None: ...
def instruction_sets() -> dict[int, str]: ...
