"""Deeds: what a batch does to its assets, a module each, all of one shape."""

from archive.deeds import download, move, redo, restore, tag, trash, untag
from archive.deeds.deed import Deed, Outcome, Refused
from archive.models import Action

DEEDS: dict[str, Deed] = {
    Action.TAG: tag.Tagging(),
    Action.UNTAG: untag.Untagging(),
    Action.MOVE: move.Moving(),
    Action.TRASH: trash.Trashing(),
    Action.RESTORE: restore.Restoring(),
    Action.DOWNLOAD: download.Downloading(),
    Action.ENCODE: redo.EncodingAgain(),
    Action.RETRY: redo.Retrying(),
}

__all__ = ["DEEDS", "Deed", "Outcome", "Refused"]
