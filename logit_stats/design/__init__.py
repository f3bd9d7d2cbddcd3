"""What the user gave becomes columns: formula, tables, response, weights, offset, groups, missing rows.

A `Design` hands its rows out in blocks, and sums over them; nothing above knows where they lie.
May import errors and wording.
"""
