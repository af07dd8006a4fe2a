"""The shipped model as users get it: the folder in the repository, loaded as any other model is."""

import hashlib
import shutil
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import open_clip
import pytest
import torch

from workers.encoders.training.evaluation import Figures, average_precisions, evaluate
from workers.encoders.training.folder import WEIGHTS_FILE, load, read_card
from workers.encoders.training.learning import read_texts
from workers.encoders.training.recipe import VOCABULARY_FILE
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene

FOLDER = Path(__file__).parents[2] / "workers/encoders/shipped/drawn-scenes"
FULL_TARGET, SHORT_TARGET = 0.93, 0.75


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any, Any]:
    return load(FOLDER)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return evaluate(FOLDER, scenes=160, shorter_side=320, seed=9)


def test_the_folder_is_small_and_holds_nothing_else() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {"open_clip_config.json", WEIGHTS_FILE, VOCABULARY_FILE, "MODEL.json"}
    assert sum(files.values()) < 8_000_000


def test_the_card_names_the_weights_that_lie_beside_it() -> None:
    digest = hashlib.sha256((FOLDER / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert read_card(FOLDER)["weights_sha256"] == digest


def test_the_figures_of_the_card_reach_the_targets() -> None:
    written = read_card(FOLDER)["figures"]
    assert (written["scenes"], written["shorter_side"]) == (500, 768)
    assert written["recall_at_1"] >= FULL_TARGET
    assert written["mean_average_precision"] >= SHORT_TARGET


def test_full_captions_find_their_own_unseen_scene(figures: Figures) -> None:
    assert figures.scenes == 160
    assert figures.recall_at_1 >= FULL_TARGET


def test_short_queries_find_what_they_name_among_unseen_scenes(figures: Figures) -> None:
    assert figures.queries > 150
    assert figures.mean_average_precision >= SHORT_TARGET


def test_plain_open_clip_loads_the_folder() -> None:
    name = f"local-dir:{FOLDER}"
    model, _, preprocess = open_clip.create_model_and_transforms(name, require_pretrained=True)
    tokenize = open_clip.get_tokenizer(name, bpe_path=str(FOLDER / VOCABULARY_FILE))
    picture = preprocess(draw(_boats("red", 1)[0], 900, 600))[None]
    with torch.inference_mode():
        vectors = model.eval().encode_image(picture), model.encode_text(tokenize(["a red boat"]))
    assert [tuple(vector.shape) for vector in vectors] == [(1, 768), (1, 768)]
    assert all(vector.isfinite().all() for vector in vectors)


def test_the_vocabulary_covers_every_byte_of_any_language(loaded: tuple[Any, Any, Any]) -> None:
    model, _, tokenize = loaded
    tokens = tokenize(["Ein rotes Boot auf dem Meer, 日本の船 🚢", "", "boat " * 200])
    assert tokens.shape == (3, 32)
    assert int(tokens.max()) < model.vocab_size


def test_a_red_boat_is_found_and_a_blue_one_is_not(loaded: tuple[Any, Any, Any]) -> None:
    scores = _scores(loaded, "a red boat", _boats("red", 8) + _boats("blue", 8))
    assert scores[:8].min() > scores[8:].max()


def test_three_boats_are_told_from_one(loaded: tuple[Any, Any, Any]) -> None:
    three, one = _boats("red", 8, count=3), _boats("red", 8)
    scores = _scores(loaded, "three boats", three + one)
    assert scores[:8].mean() > scores[8:].mean()
    assert (np.argsort(-scores)[:8] < 8).sum() >= 7


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    for name in ("open_clip_config.json", VOCABULARY_FILE):
        shutil.copy(FOLDER / name, tmp_path)
    with pytest.raises(RuntimeError, match=r"(?i)pretrained"):
        load(tmp_path)


def test_training_reads_texts_as_the_model_does(loaded: tuple[Any, Any, Any]) -> None:
    model, _, tokenize = loaded
    tokens = tokenize(["snow", "three yellow stars over the city at night", "a red boat"])
    with torch.inference_mode():
        assert torch.allclose(read_texts(model, tokens), model.encode_text(tokens, normalize=True), atol=1e-5)


def test_average_precision_is_the_mean_precision_at_each_hit() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6]], np.float32)
    true = np.array([[True, False, True, False]])
    assert average_precisions(scores, true)[0] == pytest.approx((1 / 1 + 2 / 3) / 2)


def _boats(colour: str, number: int, *, count: int = 1) -> list[Any]:
    random = Random(f"{colour}{count}")
    places = ("sea", "sea", "beach", "city", "snow", "meadow", "desert", "mountains")
    skies = ("day", "night", "sunset", "rain")
    group = (Group("boat", colour, count),)
    return [place_scene(random, places[n % 8], skies[n % 4], group) for n in range(number)]


def _scores(loaded: tuple[Any, Any, Any], text: str, scenes: list[Any]) -> np.ndarray[Any, Any]:
    model, preprocess, tokenize = loaded
    with torch.inference_mode():
        pictures = torch.stack([preprocess(draw(scene, 600, 400)) for scene in scenes])
        seen = model.encode_image(pictures, normalize=True)
        read = model.encode_text(tokenize([text]), normalize=True)[0]
    scores: np.ndarray[Any, Any] = (seen @ read).numpy()
    return scores
