"""What is measured: each thing beside its peer, in one run, on this machine.

A figure is a ratio or a share, never a bare time; `docs/benchmarks.md` keeps the results with
the machine that they were measured on. Nothing imports this room, and no test asserts a time.
"""
