"""Faults that nobody announces, against real server processes, and a checker of what was seen from outside.

`schedules` makes up what happens, `world` sets up servers and far sides, `faults` disturbs them, `load` writes messages,
`history` records, `checker` judges. `python -m tests.torture` runs a campaign; docs/reference/torture.md explains it.
"""
