"""A door for each model: the user's words become a `Design` with its likelihood, and a fit becomes results.

Signatures are a contract; what they mean is done below.
May import results/ and the rooms below.
"""
