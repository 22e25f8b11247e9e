"""The browser: starting it clean, keeping its logins, showing it to a person and taking it back.

No page is read and nothing is stored of a listing here.
"""
