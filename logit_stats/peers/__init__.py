"""The same model elsewhere: the cross-check with statsmodels, scripts for other packages.

Others are imported on use, never at the start.
May import inference/ and the rooms below; results are named for the reader only (typing).
"""
