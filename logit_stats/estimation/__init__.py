"""Rows and a likelihood become a `Fit`: one climb (Newton, profiles, penalties), large fits, separation, limits, refits.

What is computed with (kernel, moments, working columns) lives in likelihoods/; modules here by those names lead there.
May import likelihoods/, design/, errors and wording.
"""
