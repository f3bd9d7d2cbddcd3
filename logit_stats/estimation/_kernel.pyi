"""Types of the compiled kernel; None stands for what is not there or not wanted. Arrays are float64."""

from logit_stats.design.block import FloatArray

def rows(
    instruction_set: int,
    X: FloatArray,
    successes: FloatArray | None,
    trials: FloatArray | None,
    weight: FloatArray | None,
    offset: FloatArray | None,
    gamma: FloatArray | None,
    center: FloatArray | None,
    scale: FloatArray | None,
    eta: FloatArray | None,
    residual: FloatArray | None,
    information_weight: FloatArray | None,
    score: FloatArray | None,
    information: FloatArray | None,
    /,
) -> tuple[float, float]: ...
def functions(instruction_set: int, x: FloatArray, exp: FloatArray, log1p: FloatArray, /) -> None: ...
def instruction_sets() -> dict[int, str]: ...
