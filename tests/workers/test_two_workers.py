"""Two machines, one with other weights under the same name: it refuses, names what differs, and claims nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive import dispatch
from archive.catalogue import models
from archive.models import Asset, Collection, Embedding, Space, Status, Step, Work, WorkState
from tests import pictures
from tests.faults import workers as fleets
from tests.prepared import make_prepared, vector_of
from tests.workers.checkpoints import write_model
from workers.encode import drain_encode
from workers.encoders.load import encoder_of, open_encoder
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "ViT-B-32-openai"


@pytest.fixture
def machines(tmp_path: Path) -> dict[str, Path]:
    """Two models' folders: each has a whole model under the same name."""
    for seed, machine in enumerate(("right", "other")):
        write_model(tmp_path / machine / NAME, models()[NAME], seed=seed)
    return {machine: tmp_path / machine for machine in ("right", "other")}


@pytest.fixture
def space(machines: dict[str, Path], settings: Any) -> Space:
    settings.SIGHTLINE_MODELS = machines["right"]
    return make_space("clip", NAME)


def drain(folder: Path, media: Path) -> subprocess.CompletedProcess[str]:
    """`manage.py drain` as on a machine of its own, whose models lie in `folder`."""
    environment = {**os.environ, "DATABASE_URL": fleets.test_database_url(), "SIGHTLINE_MODELS": str(folder)}
    environment["SIGHTLINE_MEDIA_URL"] = str(media)
    command = [sys.executable, "manage.py", "drain"]
    return subprocess.run(command, cwd=fleets.ROOT, env=environment, capture_output=True, text=True, check=False)


def assert_right(space: Space, asset: Asset, seed: int) -> None:
    """The vector is the one that the space's own weights give."""
    encoder = encoder_of(space)
    seen = encoder.encode_pictures([encoder.prepare(pictures.distinct(seed))])[0]
    assert vector_of(space, asset) @ seen > 0.99  # of the JPEG that was made of it


def test_the_other_machine_refuses_with_the_difference_and_the_right_one_does_the_work(
    harbour: Collection, space: Space, machines: dict[str, Path], media_root: Path
) -> None:
    assets = [make_prepared(harbour, pictures.distinct(seed), space, name=f"{seed}.jpg") for seed in range(5)]
    other = drain(machines["other"], media_root)
    assert other.returncode == 1
    assert "5 waiting" in other.stdout
    assert "Nothing was claimed for a space whose encoder is not here." in other.stderr
    theirs = open_encoder(f"local-dir:{machines['other'] / NAME}").identity.weights
    assert f"weights: the space has {space.identity['weights'][:57]}..., this machine {theirs[:57]}" in other.stderr
    work = Work.objects.filter(step=Step.ENCODE)
    assert set(work.values_list("state", "attempts", "worker")) == {(WorkState.READY, 0, "")}
    assert drain_encode(60) is False  # this process is the right one
    for seed, asset in enumerate(assets):
        asset.refresh_from_db()
        assert asset.status == Status.READY
        assert_right(space, asset, seed)


def ring_until(true: Callable[[], bool], what: str) -> None:
    def rung() -> bool:
        dispatch.ring(Step.ENCODE)
        return true()

    fleets.wait_for(rung, 60, what)


def test_a_worker_that_lacks_one_model_of_two_goes_on_with_the_other(
    harbour: Collection, fake_space: Space, space: Space, machines: dict[str, Path], tmp_path: Path
) -> None:
    """While a new model is brought to the machines, uploads go on being encoded for the searched space."""
    assets = [make_prepared(harbour, pictures.distinct(seed), space, fake_space, name=f"{seed}.jpg") for seed in (1, 2)]
    with fleets.Fleet(tmp_path, SIGHTLINE_MODELS=str(machines["other"])) as others:
        (other,) = others.start("encode", children=1)
        ring_until(lambda: Embedding.objects.filter(space=fake_space).count() == 2, "the searched space is served")
        fleets.wait_for(lambda: "is not the one of space clip: weights" in other.output(), 30, "it refuses the other")
        make_prepared(harbour, pictures.distinct(3), space, fake_space, name="3.jpg")
        ring_until(lambda: Embedding.objects.filter(space=fake_space).count() == 3, "it goes on")
        assert other.process.poll() is None
    assert not Embedding.objects.filter(space=space).exists()
    assert not Work.objects.filter(target="clip").exclude(attempts=0, state=WorkState.READY).exists()
    assert len(assets) == 2


@pytest.mark.slow
def test_real_workers_side_by_side_and_every_vector_is_the_right_one_s(
    harbour: Collection, space: Space, machines: dict[str, Path], tmp_path: Path
) -> None:
    assets = [make_prepared(harbour, pictures.distinct(seed), space, name=f"{seed}.jpg") for seed in range(40)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        fleets.Fleet(tmp_path / "a", SIGHTLINE_MODELS=str(machines["other"])) as others,
        fleets.Fleet(tmp_path / "b", SIGHTLINE_MODELS=str(machines["right"])) as rights,
    ):
        (other,) = others.start("encode", children=2)
        dispatch.ring(Step.ENCODE)
        fleets.wait_for(lambda: other.process.poll() is not None, 60, "the other ends")
        assert other.process.returncode == os.EX_CONFIG
        assert "This worker claims nothing and ends (status 78)" in other.output()
        assert "is not the one of space clip: weights" in other.output()
        assert not Embedding.objects.exists()
        assert not Work.objects.filter(step=Step.ENCODE).exclude(attempts=0, state=WorkState.READY).exists()
        rights.start("encode", children=1)
        ring_until(lambda: Embedding.objects.count() == len(assets), "the right one encodes")
    for seed, asset in enumerate(assets):
        assert_right(space, asset, seed)
