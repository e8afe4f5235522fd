"""What operators let a lane do."""

from enum import IntEnum


class LaneMode(IntEnum):
    """What an operator lets a lane do. The numbers are those of the contract and of the store."""

    WORKING = 1
    PAUSED = 2
    DRAINING = 3
