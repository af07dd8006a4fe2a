"""The life of a space: made, filled beside the searched one, indexed, searched, rolled back, retired."""

from archive.spaces.coverage import Coverage, Gaps, coverage, gaps
from archive.spaces.filling import backfill, stop_backfill
from archive.spaces.index import (
    IndexBeingBuilt,
    IndexState,
    build_index,
    count_rows,
    index_name,
    index_state,
    is_building,
    is_large,
)
from archive.spaces.life import (
    SPACE_NAME,
    GainsNothing,
    NothingToRollBackTo,
    SpaceNotReady,
    activate,
    create_space,
    find_previous,
    is_full,
    promote_full,
    rollback,
)
from archive.spaces.partitions import ArchiveBusy, drop_partitions, has_partitions, hold_live, partition
from archive.spaces.progress import Progress, progress
from archive.spaces.retiring import SpaceInUse, clear_away, is_left_over, retire

__all__ = [
    "SPACE_NAME",
    "ArchiveBusy",
    "Coverage",
    "GainsNothing",
    "Gaps",
    "IndexBeingBuilt",
    "IndexState",
    "NothingToRollBackTo",
    "Progress",
    "SpaceInUse",
    "SpaceNotReady",
    "activate",
    "backfill",
    "build_index",
    "clear_away",
    "count_rows",
    "coverage",
    "create_space",
    "drop_partitions",
    "find_previous",
    "gaps",
    "has_partitions",
    "hold_live",
    "index_name",
    "index_state",
    "is_building",
    "is_full",
    "is_large",
    "is_left_over",
    "partition",
    "progress",
    "promote_full",
    "retire",
    "rollback",
    "stop_backfill",
]
