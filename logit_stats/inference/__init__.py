"""How sure: covariances, reference distributions, intervals, hypotheses, analysis of deviance, effects, means, predictions.

Functions of a `Fit` and a `Covariance` that return small frozen results which print themselves.
May import estimation/, likelihoods/, design/, errors and wording.
"""
