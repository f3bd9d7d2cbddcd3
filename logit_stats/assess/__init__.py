"""How good: fit statistics, goodness of fit, classification, ROC, calibration, residuals, influence, collinearity, selection.

Functions of a `Fit` (and a `Covariance`, where they test) that return small frozen results which print themselves.
May import inference/ and the rooms below it.
"""
