"""Before the data: how many observations a test or a prediction model needs.

What lives here knows no fit: numbers go in, numbers come out. It may import `errors`, `wording` and, for its picture, `report`.
"""
