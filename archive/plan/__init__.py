"""What an archive takes: vectors, index, pictures, hours of the encoder. For this archive, and for a planned one"""

from archive.plan.arithmetic import BARE, Bill, Sizes, Volume, bare_bytes, bill_for
from archive.plan.pace import Pace, pace_here
from archive.plan.seen import Seen, look_around

__all__ = [
    "BARE",
    "Bill",
    "Pace",
    "Seen",
    "Sizes",
    "Volume",
    "bare_bytes",
    "bill_for",
    "look_around",
    "pace_here",
]
