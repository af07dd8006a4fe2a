"""`space fetch`: what comes from the hub is whole, checked, and continued where it was cut short."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import timm
from django.core.management import CommandError, call_command

from archive.catalogue import models
from archive.models import Space
from tests.workers.checkpoints import create_shallow, write_model
from tests.workers.hub import Hub, a_hub
from workers import fetch as fetching
from workers.encoders.load import encoder_of, open_encoder
from workers.encoders.protocol import EncoderRefused
from workers.encoders.weights import sha256_of
from workers.fetch import FetchFailed, HubUnreachable, fetch

NAME = "ViT-B-16-SigLIP2-256"
MODEL = models()[NAME]
WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as the hub has it, with files that nobody needs."""
    folder = tmp_path_factory.mktemp("hub") / "repository"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", create_shallow)
        write_model(folder, MODEL)
    (folder / "README.md").write_text("# a model")
    (folder / "model.safetensors").write_bytes(b"transformers' version of it" * 1000)
    return folder


@pytest.fixture
def hub(published: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(fetching, "PAUSE", 0.01)
    monkeypatch.setattr(timm, "create_model", create_shallow)
    settings.SIGHTLINE_MODELS = tmp_path / "models"
    with a_hub() as hub:
        settings.HF_ENDPOINT = hub.url
        hub.repositories[MODEL.hub] = published
        yield hub


def command(*words: str) -> str:
    out = StringIO()
    call_command("space", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_model_is_fetched_with_what_an_encoder_reads_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    told = json.loads(command("fetch", NAME, "--to", str(tmp_path / "stick"), "--json"))
    folder = tmp_path / "stick" / NAME
    assert told["folder"] == str(folder)
    names = {"open_clip_config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json"}
    assert {file["name"] for file in told["files"]} == names
    assert {path.name for path in folder.iterdir()} == names | {"SHA256SUMS"}
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode == 0


def test_an_interrupted_download_goes_on_where_it_stopped_when_called_again(hub: Hub, tmp_path: Path) -> None:
    size = (hub.repositories[MODEL.hub] / WEIGHTS).stat().st_size
    hub.cut = size // 10
    with pytest.raises(FetchFailed, match=r"stopped after [\d,]+ of [\d,]+ bytes.*goes on there"):
        fetch(MODEL, tmp_path / "m")
    part = tmp_path / "m" / f"{WEIGHTS}.part"
    here = part.stat().st_size
    assert here == fetching.TRIES * hub.cut  # each try went on from the one before
    assert not (tmp_path / "m" / WEIGHTS).exists()
    hub.cut, hub.asked = None, []
    seen: list[int] = []
    fetch(MODEL, tmp_path / "m", lambda name, at, _: seen.append(at) if name == WEIGHTS else None)
    assert (WEIGHTS, f"bytes={here}-") in hub.asked
    assert len(hub.asked) == 1  # what was there is not asked for again
    assert seen == sorted(seen)
    assert (seen[0] > here, seen[-1]) == (True, size)
    assert (tmp_path / "m" / WEIGHTS).read_bytes() == (hub.repositories[MODEL.hub] / WEIGHTS).read_bytes()
    hub.asked = []
    fetch(MODEL, tmp_path / "m")
    assert hub.asked == []


def test_a_hub_that_knows_no_ranges_sends_it_all_again(hub: Hub, tmp_path: Path) -> None:
    hub.honours_ranges = False
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / f"{WEIGHTS}.part").write_bytes(b"the beginning of something")
    fetch(MODEL, tmp_path / "m")
    assert (tmp_path / "m" / WEIGHTS).read_bytes() == (hub.repositories[MODEL.hub] / WEIGHTS).read_bytes()


def test_a_part_of_another_version_is_replaced(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / f"{WEIGHTS}.part").write_bytes(b"\0" * 5000)
    fetch(MODEL, tmp_path / "m")
    assert (tmp_path / "m" / WEIGHTS).read_bytes() == (hub.repositories[MODEL.hub] / WEIGHTS).read_bytes()


def test_two_do_not_fetch_into_one_folder(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with (tmp_path / "m" / "SHA256SUMS.part").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FetchFailed, match="Another process is fetching into"):
            fetch(MODEL, tmp_path / "m")
    assert hub.asked == []
    fetch(MODEL, tmp_path / "m")


@pytest.mark.parametrize("name", [WEIGHTS, "open_clip_config.json"])
def test_a_file_that_came_damaged_never_gets_its_name(name: str, hub: Hub, tmp_path: Path) -> None:
    hub.damaged.add(name)
    with pytest.raises(FetchFailed, match=f"{name} of {NAME} came damaged"):
        fetch(MODEL, tmp_path / "m")
    assert not (tmp_path / "m" / name).exists()
    assert not (tmp_path / "m" / f"{name}.part").exists()


def test_other_weights_than_those_pinned_are_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    pinned = models()["ViT-B-16-SigLIP"]
    assert pinned.sha256
    hub.repositories[pinned.hub] = hub.repositories[MODEL.hub]
    with pytest.raises(FetchFailed, match=r"offers other weights than workers/models.toml pins"):
        fetch(pinned, tmp_path / "m")
    assert hub.asked == []


def test_what_came_first_under_an_unpinned_name_is_what_it_must_be_from_then_on(
    hub: Hub, published: Path, settings: Any, tmp_path: Path
) -> None:
    """Trust on first use: a publisher, or whoever sits between, cannot swap the weights of a name unseen."""
    assert not MODEL.sha256
    first = sha256_of(published / WEIGHTS)
    command("fetch", NAME)
    noted = settings.SIGHTLINE_MODELS / "FIRST_SEEN"
    assert noted.read_text() == f"{first}  {NAME}\n"
    other = write_model(tmp_path / "other", MODEL, seed=2)
    hub.repositories[MODEL.hub] = other
    for folder in (settings.SIGHTLINE_MODELS / NAME, tmp_path / "elsewhere"):
        with pytest.raises(FetchFailed, match=r"offers other weights than this machine had first \(.*FIRST_SEEN"):
            fetch(MODEL, folder)
    assert open_encoder(NAME).identity.weights == first  # what is here still works
    shutil.rmtree(settings.SIGHTLINE_MODELS / NAME)
    shutil.copytree(other, settings.SIGHTLINE_MODELS / NAME)  # by hand, without a list of checksums
    with pytest.raises(EncoderRefused, match=r"its sha256 differs from the one that this machine had first"):
        open_encoder(NAME)
    assert open_encoder(NAME, str(other)).identity.weights != first  # named: one's own
    noted.write_text("")  # somebody knows why
    assert fetch(MODEL, tmp_path / "elsewhere").is_dir()
    assert sha256_of(other / WEIGHTS) in noted.read_text()


@pytest.mark.django_db(transaction=True)
def test_a_folder_put_there_by_hand_counts_as_first_once_a_space_is_made_of_it(
    hub: Hub, published: Path, settings: Any
) -> None:
    shutil.copytree(published, settings.SIGHTLINE_MODELS / NAME)
    command("create", "siglip2")
    assert (settings.SIGHTLINE_MODELS / "FIRST_SEEN").read_text() == f"{sha256_of(published / WEIGHTS)}  {NAME}\n"
    assert hub.asked == []


def test_what_the_hub_has_not_and_a_hub_that_is_away_are_told_apart(hub: Hub, settings: Any, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="has no apple/MobileCLIP-S2-OpenCLIP for you \\(404"):
        fetch(models()["MobileCLIP-S2"], tmp_path / "m")
    settings.HF_ENDPOINT = "http://127.0.0.1:9"
    with pytest.raises(HubUnreachable, match=r"does not answer.*fetch the model elsewhere"):
        fetch(MODEL, tmp_path / "m")
    with pytest.raises(CommandError, match=r"There is no model 'ViT-Z'. There are: .*ViT-B-16-SigLIP2-256"):
        command("fetch", "ViT-Z")
    with pytest.raises(CommandError, match="comes with Sightline"):
        command("fetch", "drawn-scenes")


@pytest.mark.django_db(transaction=True)
def test_a_space_of_a_known_model_comes_from_the_hub_by_itself(hub: Hub) -> None:
    command("create", "siglip2")  # the default model
    space = Space.objects.get(slug="siglip2")
    assert (space.model, space.pretrained, space.logit_bias) == (NAME, "", -10)
    assert encoder_of(space).identity.fingerprint == space.fingerprint
    listed = json.loads(command("fetch", "--list", "--json"))
    assert [model["name"] for model in listed if model["here"]] == [NAME, "everyday-things", "drawn-scenes"]


@pytest.mark.django_db(transaction=True)
def test_without_a_hub_the_sentence_says_what_to_do_and_a_copied_folder_works(
    hub: Hub, settings: Any, tmp_path: Path
) -> None:
    fetch(MODEL, tmp_path / "stick" / NAME)
    settings.HF_ENDPOINT = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match=f"not on this machine.*manage.py space fetch {NAME}.*--weights"):
        command("create", "siglip2", "--model", NAME)
    assert not Space.objects.exists()
    command("create", "siglip2", "--model", NAME, "--weights", str(tmp_path / "stick"))
    assert Space.objects.get().dimensions == 768
    shutil.copytree(tmp_path / "stick" / NAME, settings.SIGHTLINE_MODELS / NAME)
    shutil.rmtree(tmp_path / "stick")  # the path of one machine is not there on another, which has its own copy
    assert encoder_of(Space.objects.get()).identity.weights == Space.objects.get().identity["weights"]


def test_a_copy_that_was_cut_short_on_the_way_is_refused_with_the_file(hub: Hub, settings: Any, tmp_path: Path) -> None:
    folder = fetch(MODEL, settings.SIGHTLINE_MODELS / NAME)
    for name in ("tokenizer.json", WEIGHTS):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-100])
        with pytest.raises(EncoderRefused, match=f"{name} is not the file that was fetched.*Copy or fetch it again"):
            open_encoder(NAME)
        (folder / name).write_bytes(whole)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(EncoderRefused, match=r"tokenizer.json is missing"):
        open_encoder(NAME)
