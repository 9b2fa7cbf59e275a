"""Partitions: into how many shares the lanes are cut, so that several nodes can divide them among themselves.

A conversation is in one partition, both directions of it. The number is part of the contract between nodes of one database:
changing it needs a moment in which no node runs.
"""

from typing import Final

PARTITIONS: Final = 64
"""No more nodes than this deliver on one database."""

EVERYTHING: Final = frozenset(range(PARTITIONS))


def partition_of(lane: int) -> int:
    """Return the partition of a lane."""
    return (lane >> 1) % PARTITIONS
