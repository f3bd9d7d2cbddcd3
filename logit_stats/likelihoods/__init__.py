"""Likelihoods, one file each: moments of a block of rows, outcomes and their derivatives, scores, the null model, separation.

Also what these are computed with: the compiled kernel, row-wise formulas, working columns, small matrices.
May import design/, errors and wording; nothing here knows how a likelihood is maximised or what is made of it.
"""
