"""Whether a run went well: figures by field, what is wrong by them, the alarms that follow.

A run is judged here and never changed; what its pages hold is not looked at again.
"""
