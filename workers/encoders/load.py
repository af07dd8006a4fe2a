"""Opening encoders: lazily, once a process, and only when they are what the space says."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib import import_module
from math import isclose

from django.conf import settings

from archive.models import Space
from workers.encoders.adapter import AdaptedEncoder
from workers.encoders.adapter_files import find_adapter
from workers.encoders.fake import FakeEncoder
from workers.encoders.goldens import check_goldens
from workers.encoders.protocol import Encoder, EncoderRefused, Identity, NotNow, first_line
from workers.encoders.sources import find_source
from workers.encoders.weights import is_away, sha256_of

log = logging.getLogger(__name__)
MOST = 3  # models held at once: the searched one, the one to roll back to, and the one being filled
REFUSED_SECONDS = 60.0  # so long a refusal stands before the files are looked at again
NOT_NOW_SECONDS = 10.0  # and so long that there was no room, or no disk: a try may take seconds itself
CLASSES = {"open_clip": "clip.ClipEncoder", "align": "align.AlignEncoder", "xclip": "xclip.XClipEncoder"}
COMPARED = ("weights", "config", "preprocessing", "tokenizer", "dimensions", "normalised", "context_length")
DERIVED = ("scale", "bias")  # from the weights; spaces made in bf16 by older versions hold them rounded
ROUNDED = 0.02

_held: OrderedDict[int, Encoder] = OrderedDict()
_used: dict[int, float] = {}  # when each was asked for last, on the monotonic clock
_refused: dict[tuple[int, str], tuple[float, str]] = {}
_not_now: dict[tuple[int, str], tuple[float, str]] = {}
_lock = threading.RLock()  # an adapted space asks for its parent's encoder
_watch: threading.Thread | None = None


def open_encoder(model: str, pretrained: str = "") -> Encoder:
    """A new encoder. torch is imported here, in the process that computes, never in one that forks.

    Raises `EncoderRefused`, and `NotNow` where only the moment is bad.
    """
    if model == "fake":
        return FakeEncoder(pretrained)
    module, _, name = CLASSES[find_source(model, pretrained).kind].partition(".")
    opens = getattr(import_module(f"workers.encoders.{module}"), name)
    with _reading_files(model):
        encoder: Encoder = import_module("workers.encoders.running").opened(lambda: opens(model, pretrained))
    return encoder


@contextmanager
def _reading_files(model: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_away(error):
            raise NotNow(f"The files of {model} cannot be read at the moment ({error}). Look at their disk.") from error
        raise EncoderRefused(
            f"The files of {model} cannot be read: {first_line(error)} Fetch or copy the whole folder again."
        ) from error


def open_encoder_of(space: Space) -> Encoder:
    """The encoder that a row asks for; for an adapted space the parent's, which is shared, with the adapter on top."""
    if space.parent is not None:
        return AdaptedEncoder(encoder_of(space.parent), find_adapter(space), space.model)
    return open_encoder(space.model, space.pretrained)


def encoder_of(space: Space) -> Encoder:
    """The encoder of a space, checked against its row. Raises `EncoderRefused` when they differ, `NotNow` where the
    device is full or the disk away: that passes."""
    with _lock:
        if space.parent is not None:
            encoder_of(space.parent)  # used as well: the two are held, and let go, together
        _used[space.pk] = time.monotonic()
        if space.pk in _held:
            _held.move_to_end(space.pk)
            return _held[space.pk]
        said = refusal_of(space)
        if said is not None:
            raise EncoderRefused(said)
        if (waits := _said_lately(_not_now, space, NOT_NOW_SECONDS)) is not None:
            raise NotNow(waits)
        try:
            encoder = _opened(space)
        except EncoderRefused as error:
            _refused[space.pk, space.fingerprint] = time.monotonic(), str(error)
            raise
        except NotNow as error:
            _not_now[space.pk, space.fingerprint] = time.monotonic(), str(error)
            raise
        _held[space.pk] = encoder
        while len({id(_model_in(one)) for one in _held.values()}) > MOST:
            _held.popitem(last=False)
        _watch_for_idleness()
        return encoder


def is_held(space: Space) -> bool:
    """Whether its encoder is at hand, or has to be opened first."""
    return space.pk in _held


def _model_in(encoder: Encoder) -> Encoder:
    """What takes the memory: an adapter weighs nothing beside it."""
    return encoder.base if isinstance(encoder, AdaptedEncoder) else encoder


def refusal_of(space: Space) -> str | None:
    """Why this process refused the space's encoder a moment ago; None when it did not."""
    return _said_lately(_refused, space, REFUSED_SECONDS)


def _said_lately(said_of: dict[tuple[int, str], tuple[float, str]], space: Space, seconds: float) -> str | None:
    when, said = said_of.get((space.pk, space.fingerprint), (0.0, ""))
    return said if said and time.monotonic() - when < seconds else None


def _opened(space: Space) -> Encoder:
    with _reading_files(space.model):
        if space.parent is None:  # of an adapted space, its parent's were
            check_weights(space)
        encoder = open_encoder_of(space)
    check_identity(encoder, space)
    check_goldens(encoder, space.goldens)
    return encoder


def check_weights(space: Space) -> None:
    """Before anything of the file is read as a model: are these the bytes that the space was made with?"""
    if space.model == "fake":
        return
    weights = find_source(space.model, space.pretrained).weights
    wanted = space.identity.get("weights")
    if weights is None or not wanted or not weights.is_file():
        return
    found = sha256_of(weights)
    if found != wanted:
        raise _differs(space, [f"weights: the space has {_short(wanted)}, this machine {_short(found)} in {weights}"])


def check_identity(encoder: Encoder, space: Space) -> None:
    """Name what differs between this machine's encoder and the one that filled the space."""
    if encoder.identity.fingerprint == space.fingerprint:
        return
    ours, theirs = identity_fields(encoder), space.identity
    differing = [name for name in COMPARED if ours[name] != theirs.get(name)]
    differing += [name for name in DERIVED if not _is_near(ours[name], theirs.get(name))]
    if differing or not _agrees_with_itself(space):
        said = (
            f"{name}: the space has {_short(theirs.get(name))}, this machine {_short(ours[name])}" for name in differing
        )
        raise _differs(space, list(said))


def _agrees_with_itself(space: Space) -> bool:
    """Whether the row's fingerprint is that of the identity beside it: then only a rounding sets it apart from ours."""
    known = {field.name for field in fields(Identity)}
    try:
        written = Identity(**{name: value for name, value in space.identity.items() if name in known})
    except TypeError:
        return False
    return written.fingerprint == space.fingerprint


def _is_near(ours: object, theirs: object) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return isclose(ours, theirs, rel_tol=ROUNDED)
    return ours == theirs


def identity_fields(encoder: Encoder) -> dict[str, object]:
    identity = encoder.identity
    return {name: getattr(identity, name) for name in identity.__dataclass_fields__}


def unload_idle(seconds: float) -> int:
    """Let go of every encoder that nobody asked for in `seconds`; returns how many. Who uses one keeps it."""
    with _lock:
        idle = [pk for pk in _held if time.monotonic() - _used[pk] >= seconds]
        for pk in idle:
            del _held[pk]
    if idle:
        gc.collect()
        if "torch" in sys.modules:
            import_module("workers.encoders.running").free_memory()
        log.info("unloaded %d models after %g idle seconds", len(idle), seconds)
    return len(idle)


def _watch_for_idleness() -> None:
    """A thread of the process that holds the model: whoever rings for work does so only when there is some."""
    global _watch  # noqa: PLW0603  (one thread a process)
    seconds = settings.SIGHTLINE_UNLOAD_SECONDS
    if seconds > 0 and (_watch is None or not _watch.is_alive()):
        _watch = threading.Thread(target=_unload_when_idle, args=(seconds,), name="unload", daemon=True)
        _watch.start()


def _unload_when_idle(seconds: float) -> None:
    while True:
        time.sleep(min(seconds / 4, 15))
        unload_idle(seconds)
        with _lock:
            if not _held:
                global _watch  # noqa: PLW0603
                _watch = None
                return


def _differs(space: Space, differing: list[str]) -> EncoderRefused:
    return EncoderRefused(
        f"This machine's encoder is not the one of space {space.slug}: {'; '.join(differing) or 'fingerprint'}. "
        f"Put the same files in place, or make a new space."
    )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
