"""Opening encoders: lazily, once a process, and only when they are what the space says."""

from __future__ import annotations

import threading
from collections import OrderedDict
from importlib import import_module

from archive.models import Space
from workers.encoders.adapter import AdaptedEncoder
from workers.encoders.adapter_files import find_adapter
from workers.encoders.fake import FakeEncoder
from workers.encoders.goldens import check_goldens
from workers.encoders.protocol import Encoder, EncoderRefused

MOST = 2  # models held at once: the searched one and the one being filled

_held: OrderedDict[int, Encoder] = OrderedDict()
_lock = threading.RLock()  # an adapted space asks for its parent's encoder


def open_encoder(model: str, pretrained: str = "") -> Encoder:
    """A new encoder. torch is imported here, in the process that computes, never in one that forks."""
    if model == "fake":
        return FakeEncoder(pretrained)
    encoder: Encoder = import_module("workers.encoders.clip").ClipEncoder(model, pretrained)
    return encoder


def open_encoder_of(space: Space) -> Encoder:
    """The encoder that a row asks for; for an adapted space the parent's, which is shared, with the adapter on top."""
    if space.parent is not None:
        return AdaptedEncoder(encoder_of(space.parent), find_adapter(space), space.model)
    return open_encoder(space.model, space.pretrained)


def encoder_of(space: Space) -> Encoder:
    """The encoder of a space, checked against its row. Raises `EncoderRefused` when they differ."""
    with _lock:
        if space.parent is not None:
            encoder_of(space.parent)  # used as well: the two are held, and let go, together
        if space.pk in _held:
            _held.move_to_end(space.pk)
            return _held[space.pk]
        encoder = open_encoder_of(space)
        check_identity(encoder, space)
        check_goldens(encoder, space.goldens)
        _held[space.pk] = encoder
        while len({id(_model_in(one)) for one in _held.values()}) > MOST:
            _held.popitem(last=False)
        return encoder


def _model_in(encoder: Encoder) -> Encoder:
    """What takes the memory: an adapter weighs nothing beside it."""
    return encoder.base if isinstance(encoder, AdaptedEncoder) else encoder


def check_identity(encoder: Encoder, space: Space) -> None:
    """Name what differs between this machine's encoder and the one that filled the space."""
    if encoder.identity.fingerprint == space.fingerprint:
        return
    differing = [
        f"{name}: the space has {_short(space.identity.get(name))}, this machine {_short(ours)}"
        for name, ours in identity_fields(encoder).items()
        if name in ("weights", "config", "preprocessing", "tokenizer", "dimensions", "scale", "bias")
        and space.identity.get(name) != ours
    ]
    raise EncoderRefused(
        f"This machine's encoder is not the one of space {space.slug}: {'; '.join(differing) or 'fingerprint'}. "
        f"Put the same files in place, or make a new space."
    )


def identity_fields(encoder: Encoder) -> dict[str, object]:
    identity = encoder.identity
    return {name: getattr(identity, name) for name in identity.__dataclass_fields__}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
