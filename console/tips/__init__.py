"""The page on which anybody may tell us of a listing: apart from the console, and without its data.

It writes tips and reads nothing. Who listens to the public must not be able to show the house.
"""
