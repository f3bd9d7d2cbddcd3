"""Draw the picture of docs/how_it_is_fitted.md: ``python docs/draw_how_it_is_fitted.py``."""

import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import logit_stats as ls
from logit_stats.report.plots.canvas import BLUE, GREY, ORANGE

model = ls.logit("y ~ x", ls.datasets.load("ten_points"))


def path(start, **settings):
    """Coefficients from the start to the end: (2, steps)."""
    found = [np.array(start)]
    res = model.fit(callback=lambda beta: found.append(np.array(beta)), **settings)
    return np.array([*found, res.params.to_numpy()]).T


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
a, b = np.linspace(-2.6, 1.2, 120), np.linspace(-0.1, 1.2, 120)
cost = np.array([[-model.loglike([i, j]) / 10 for i in a] for j in b])
levels = cost.min() + np.array([0.0003, 0.003, 0.01, 0.03, 0.08, 0.16, 0.3, 0.5, 0.8, 1.2, 2.0])
left.contour(a, b, cost, levels=levels, colors=GREY, linewidths=0.6)
left.plot(
    *path([0.0, 0.0], method="gd", epochs=5000), "o-", color=ORANGE, markersize=3, label="gradient descent, from zero"
)
null = [np.log(7 / 3), 0.0]
left.plot(*path(null), "s--", color=BLUE, markerfacecolor="white", label="Newton, from the null model")
left.plot(*model.fit().params, "*", color="black", markersize=12, zorder=5, label="maximum likelihood")
left.set(xlabel="intercept", ylabel="slope", title="the cost of ten points, and two ways down")
left.legend(loc="upper right", fontsize=8)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ls.errors.ConvergenceWarning)
    for label, settings in {
        "Newton": {},
        "gradient descent": {"method": "gd", "epochs": 5000},
        "L-BFGS": {"method": "lbfgs"},
        "mini-batches of 2": {"method": "sgd", "batch_size": 2, "learning_rate": 0.2, "epochs": 2000},
    }.items():
        model.fit(**settings).plot.trace("distance", label=label, ax=right)
right.set_title("how far it is to the maximum")
figure.savefig(Path(__file__).with_name("how_it_is_fitted.png"), dpi=110)
