"""Goldens: a worker that computes other vectors than the space holds must not fill it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from archive.models import Collection, Space, Step, Work, WorkState
from tests import pictures
from tests.prepared import Rows, make_prepared
from workers.encode import drain_encode
from workers.encoders import load
from workers.encoders.fake import FakeEncoder
from workers.encoders.goldens import as_json, check_goldens, golden_pictures, golden_vectors
from workers.encoders.protocol import EncoderRefused


class Tilted(FakeEncoder):
    """The same files, other arithmetic: as a wrong resize or a broken driver would be."""

    def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
        return super().encode_pictures([one * np.linspace(0.5, 1.5, one.size) for one in prepared])


def test_the_same_encoder_passes() -> None:
    check_goldens(FakeEncoder(), as_json(golden_vectors(FakeEncoder())))


def test_other_arithmetic_is_refused_with_the_figure() -> None:
    with pytest.raises(EncoderRefused, match=r"golden pictures agree only to 0\.\d+ where 0.999 is needed"):
        check_goldens(Tilted(), as_json(golden_vectors(FakeEncoder())))


def test_golden_pictures_depend_on_nothing_outside() -> None:
    first, second = golden_pictures(), golden_pictures()
    assert [p.tobytes() for p in first] == [p.tobytes() for p in second]
    assert len({p.tobytes() for p in first}) == 4


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_fails_its_goldens_claims_nothing(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_prepared(harbour, pictures.distinct(1), fake_space)
    monkeypatch.setattr(load, "open_encoder", lambda model, pretrained="": Tilted(pretrained))
    assert drain_encode() is False
    assert "computes other vectors than the space holds" in caplog.text
    work = Work.objects.get(step=Step.ENCODE)
    assert (work.state, work.attempts) == (WorkState.READY, 0)
