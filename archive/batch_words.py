"""A batch in words."""

from __future__ import annotations

from archive.models import Action, Batch, BatchState


def title(batch: Batch) -> str:
    """What is done: Tag “sea”."""
    match batch.action:
        case Action.TAG:
            return f"Tag {_names(batch)}"
        case Action.UNTAG:
            return f"Take off {_names(batch)}"
        case Action.MOVE:
            return f"Move to {batch.arguments['name']}"
    return batch.get_action_display()


def outcome(batch: Batch) -> str:
    """How far it is, in a sentence."""
    if batch.state == BatchState.UNDONE and batch.action == Action.DOWNLOAD:
        return "The file is deleted."
    if batch.lasts and batch.state in (BatchState.UNDOING, BatchState.UNDONE):
        return f"Stopped after {batch.done + batch.skipped:,} of {batch.total:,}."
    sentences = {
        BatchState.WAITING: f"{_many(batch.total)}: waiting for a worker.",
        BatchState.RUNNING: f"{batch.behind:,} of {batch.total:,}.",
        BatchState.DONE: f"{_many(batch.done)}.",
        BatchState.FAILED: f"Stopped after {batch.behind:,} of {batch.total:,}.",
        BatchState.UNDOING: f"{batch.behind:,} of {batch.ahead:,} put back.",
        BatchState.UNDONE: f"{_many(batch.undone)} put back as before.",
    }
    return sentences[BatchState(batch.state)]


def _names(batch: Batch) -> str:
    return ", ".join(f"“{name}”" for name in batch.arguments["tags"])


def _many(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"
