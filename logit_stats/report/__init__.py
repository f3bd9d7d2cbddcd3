"""What is shown: tables of coefficients, summaries, tidy frames, pages, pictures, and how numbers are written.

Nothing is computed here that could be asked elsewhere.
May import assess/, peers/ and the rooms below; results are named for the reader only (typing).
"""
