"""The shipped model that knows photographs, as users get it: loaded as any other, asked about the sample."""

from __future__ import annotations

import hashlib
from random import Random

import numpy as np
import numpy.typing as npt
import open_clip
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from archive.models import Space, SpaceState
from archive.sample import PHOTOGRAPHS
from workers.encoders.clip import ClipEncoder
from workers.encoders.load import encoder_of
from workers.encoders.sources import SHIPPED as FOLDERS
from workers.encoders.training.folder import WEIGHTS_FILE, read_card
from workers.encoders.training.photographs.recipe import CONTEXT_LENGTH, NAME, VOCABULARY_FILE
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene
from workers.spaces import SHIPPED

FOLDER = FOLDERS / NAME
FILES = sorted(PHOTOGRAPHS.glob("*/*.jpg"))


@pytest.fixture(scope="module")
def encoder() -> ClipEncoder:
    return ClipEncoder(SHIPPED)


@pytest.fixture(scope="module")
def pictures(encoder: ClipEncoder) -> npt.NDArray[np.float32]:
    prepared = []
    for path in FILES:
        with Image.open(path) as picture:
            prepared.append(encoder.prepare(picture.convert("RGB")))
    return encoder.encode_pictures(prepared)


def found(encoder: ClipEncoder, pictures: npt.NDArray[np.float32], text: str) -> list[str]:
    order = np.argsort(-(pictures @ encoder.encode_texts([text])[0]))
    return [FILES[row].stem for row in order]


def test_the_folder_is_small_and_says_whose_its_parts_are() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {"open_clip_config.json", WEIGHTS_FILE, VOCABULARY_FILE, "MODEL.json", "LICENCES.txt"}
    assert sum(files.values()) < 16_000_000
    licences = (FOLDER / "LICENCES.txt").read_text()
    for words in ("EfficientNet-Lite0", "Apache License", "WordNet 3.0 license", "Princeton University", "OpenAI"):
        assert words in licences


def test_the_card_names_the_weights_that_lie_beside_it_and_what_they_reach() -> None:
    card = read_card(FOLDER)
    assert card["weights_sha256"] == hashlib.sha256((FOLDER / WEIGHTS_FILE).read_bytes()).hexdigest()
    figures = card["figures"]
    assert (figures["photographs"], figures["names"]) == (292, 277)
    assert figures["first"] > 0.3
    assert figures["among_five"] > 0.5
    assert figures["scenes_recall_at_1"] > 0.85


def test_it_is_loaded_as_any_other_model(encoder: ClipEncoder, pictures: npt.NDArray[np.float32]) -> None:
    assert (encoder.identity.dimensions, encoder.identity.context_length) == (768, CONTEXT_LENGTH)
    assert pictures.shape == (len(FILES), 768)
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(1, abs=1e-5)
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{FOLDER}", require_pretrained=True)
    with torch.inference_mode(), Image.open(FILES[0]) as picture:
        seen = model.eval().encode_image(preprocess(picture)[None], normalize=True)[0].numpy()
    assert seen @ pictures[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", "cat"),
        ("cats", "cat"),
        ("a photo of a kitten", "cat"),
        ("a cup of coffee", "cup-of-coffee"),
        ("COFFEE", "cup-of-coffee"),
        ("boats on the shore", "rowing-boats"),
        ("a bee on a flower", "honey-bee"),
        ("a ladybird", "ladybird"),
        ("a bridge at night", "bridge-at-night"),
        ("the polar bear", "polar-bear"),
        ("pandas", "panda"),
        ("a koala", "koala"),
        ("oranges", "citrus-fruits"),
        ("a flock of sheep", "sheep"),
        ("paintbrushes", "paint-brushes"),
    ],
)
def test_it_finds_first_what_it_knows(
    encoder: ClipEncoder, pictures: npt.NDArray[np.float32], text: str, expected: str
) -> None:
    assert found(encoder, pictures, text)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mountains", {"picos-de-europa", "mountain-meadow", "alps"}),
        ("a lake", {"summer-night", "lake-at-dusk", "rowing-boats"}),
        ("yellow flowers", {"yellow-flower", "orange-petals", "marigold"}),
        ("insects", {"ladybird", "honey-bee"}),
        ("a boat", {"rowing-boats", "nagasaki-boats"}),
        ("fruit", {"citrus-fruits", "fig"}),
        ("clocks", {"clock"}),
    ],
)
def test_it_finds_a_kind_of_thing_among_the_first_five(
    encoder: ClipEncoder, pictures: npt.NDArray[np.float32], text: str, expected: set[str]
) -> None:
    assert len(expected & set(found(encoder, pictures, text)[:5])) >= min(2, len(expected))


def test_two_things_are_nearer_to_a_picture_of_both_than_either_alone(encoder: ClipEncoder) -> None:
    both, cup, table = encoder.encode_texts(["a cup on the table", "a cup", "a table"])
    assert both @ cup > cup @ table
    assert both @ table > cup @ table


def test_words_of_any_language_fit_its_vocabulary(encoder: ClipEncoder) -> None:
    vectors = encoder.encode_texts(["Ein Hund läuft über 草地 🐕", "", "cat " * 200])
    assert np.isfinite(vectors).all()
    assert encoder.count_tokens("a cat on the table") == 7


def test_drawn_scenes_are_told_apart_too(encoder: ClipEncoder) -> None:
    random = Random(5)
    colours = ["red"] * 4 + ["blue"] * 4
    scenes = [place_scene(random, "sea", "day", (Group("boat", colour, 1),)) for colour in colours]
    seen = encoder.encode_pictures([encoder.prepare(draw(scene, 600, 400)) for scene in scenes])
    scores = seen @ encoder.encode_texts(["a red boat"])[0]
    assert scores[:4].min() > scores[4:].max()


@pytest.mark.django_db
def test_a_first_start_is_searched_with_it() -> None:
    call_command("space", "create", "--shipped", "--if-none")
    space = Space.objects.get()
    assert (space.slug, space.model, space.state) == (NAME, SHIPPED, SpaceState.ACTIVE)
    assert space.knows == "This small model knows everyday things only."
    assert encoder_of(space).identity.fingerprint == space.fingerprint


@pytest.mark.django_db
def test_an_archive_that_has_a_space_keeps_it(fake_space: Space) -> None:
    call_command("space", "create", "--shipped", "--if-none")
    assert Space.objects.get() == fake_space
    call_command("space", "create", "--shipped", "drawn-scenes")
    assert Space.objects.active() == fake_space
    assert Space.objects.get(slug="drawn-scenes").state == SpaceState.BUILDING


@pytest.mark.django_db
def test_the_other_model_that_comes_along_can_be_chosen() -> None:
    call_command("space", "create", "--shipped", "drawn-scenes")
    space = Space.objects.get()
    assert (space.slug, space.model, space.state) == ("drawn-scenes", "shipped:drawn-scenes", SpaceState.ACTIVE)
    assert space.knows == "This small model was trained on drawings only."
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("space", "create", "--shipped", "nothing")
