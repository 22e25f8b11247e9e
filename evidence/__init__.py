"""Evidence: what a page was, sealed so that anyone can check it offline.

A visit is recorded from the browser's own protocol, packed as WACZ 1.1.1 and kept under its
SHA-256. Verification needs nothing but the file. This room judges no listing and buys
nothing; whoever buys records the visit with the `Recorder` from here.
"""
