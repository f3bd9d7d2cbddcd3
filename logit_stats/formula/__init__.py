"""Formula models under statsmodels' address: ``import logit_stats.formula.api as smf``."""
