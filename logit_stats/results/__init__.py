"""The faces of finished fits: one-line methods put together from a fit, its covariance and the inference that suits it.

No arithmetic lives here.
May import report/ and the rooms below; models are named for the reader only (typing).
"""
