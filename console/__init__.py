"""What people work with: the web console, its JSON API, and the command `touchstone`.

This room shows what the other rooms know and hands them what a person decided. It scores
nothing, captures nothing and buys nothing itself; whatever it shows that came from a
marketplace is hostile and leaves here escaped.
"""
