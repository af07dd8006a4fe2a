"""Where relevance ends among the sample's photographs, for the model of a first start; docs/relevance.md has the
figures. Its marks were taken from drawings, and it knows everyday things only: weaker, and said so."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from archive.models import Space
from archive.sample import PHOTOGRAPHS
from search.background import Background
from search.query import Mode
from search.relevance import Line, draw_line
from workers.calibration import calibrate
from workers.encoders.load import open_encoder

# Judged by looking at all of them.
THERE = {
    "a cat": "cat cat-running",
    "a dog": "two-dogs",
    "a bee": "honey-bee",
    "a koala": "koala",
    "a lizard": "komodo-dragon",
    "a ladybug": "ladybird",
    "a moose": "moose",
    "a panda": "panda",
    "a polar bear": "polar-bear",
    "a bear": "panda polar-bear",
    "a raccoon": "raccoon",
    "a sheep": "sheep",
    "a bird": "nuthatch wooden-bird",
    "a dragonfly": "dragonfly-on-a-twig",
    "flowers": "acanthus allium dahlia dandelions honey-bee marigold orange-petals two-seeds yellow-flower",
    "a bridge": "bridge-at-night",
    "mountains": "alps black-canyon mountain-meadow picos-de-europa",
    "boats": "nagasaki-boats rowing-boats",
    "a pier": "jetty-in-fog wooden-pier",
    "a pagoda": "pagoda",
    "a kite": "kite",
    "an airplane": "biplane",
    "a rocket": "rocket",
    "an astronaut": "astronaut",
    "a clock": "clock",
    "coffee": "cup-of-coffee",
    "a cup": "cup-of-coffee cups",
    "fruit": "citrus-fruits fig",
    "a drum": "wine-and-drum",
    "paintbrushes": "paint-brushes",
    "a house": "dust-bowl-house",
    "a stream": "stream",
}
# Things that the model knows, and of which the sample has none.
ABSENT = (
    *("a pizza", "a guitar", "an elephant", "a laptop", "a zebra", "a tiger", "a bicycle", "a school bus", "a banana"),
    *("a violin", "a shark", "a penguin", "a soccer ball", "an umbrella", "a snake", "a motorcycle", "strawberries"),
    *("a camel", "a giraffe", "a teapot", "a toaster", "a hammer", "a piano", "a horse", "a goldfish", "sunglasses"),
    *("a tractor", "a castle", "a volcano", "a keyboard"),
)

Closeness = npt.NDArray[np.float32]


def test_most_of_what_is_relevant_survives_and_a_third_of_what_is_above_the_line_is_right() -> None:
    encoder = open_encoder("shipped:everyday-things")
    files = sorted(PHOTOGRAPHS.rglob("*.jpg"))
    names = [file.stem for file in files]
    rows = encoder.encode_pictures([encoder.prepare(Image.open(file).convert("RGB")) for file in files])
    space = Space(slug="photographs", calibration=calibrate(encoder))
    true = np.array([[name in right.split() for name in names] for right in THERE.values()])
    assert true.any(axis=1).all()
    there, absent = encoder.encode_texts(list(THERE)) @ rows.T, encoder.encode_texts(ABSENT) @ rows.T
    marked = {}
    for mode in (Mode.BALANCED, Mode.STRICT):
        kept = np.array([_well(close, space, mode) for close in there])
        nothing = np.array([not _well(close, space, mode).any() for close in absent])
        marked[mode] = kept[true].mean(), true[kept].mean(), (~kept.any(axis=1)).mean(), nothing.mean()
        survive, right, wrongly, rightly = marked[mode]
        print(f"{mode}: survive {survive:.2f}, right {right:.2f}, ", end="")
        print(f"nothing although there is {wrongly:.2f}, nothing where nothing is {rightly:.2f}")
    first = np.mean([right[close.argmax()] for close, right in zip(there, true, strict=True)])
    print(f"a right one first {first:.2f}")
    survive, right, wrongly, _ = marked[Mode.BALANCED]
    assert survive > 0.7
    assert right > 0.3
    assert wrongly < 0.1
    by_marks_alone = np.array(
        [close >= draw_line(space, _usual(close), Mode.BALANCED, words_only=True).well for close in there]
    )
    assert right > true[by_marks_alone].mean() + 0.1


def test_what_the_best_hit_leaves_far_behind_is_no_match() -> None:
    usual = Background(np.linspace(0.0, 0.2, 100, dtype=np.float32))
    raised = Line(0.12, 0.15).beside(0.5, usual)
    assert raised.well == pytest.approx(0.3)
    assert raised.best == 0.15
    assert Line(0.12, 0.15).beside(0.13, usual) == Line(0.12, 0.15)
    few = Background(np.linspace(0.0, 0.2, 5, dtype=np.float32))
    assert Line(0.12, 0.15).beside(0.5, few) == Line(0.12, 0.15)
    assert Line().beside(0.5, usual) == Line()


def _usual(close: Closeness) -> Background:
    return Background(np.sort(close))


def _well(close: Closeness, space: Space, mode: Mode) -> npt.NDArray[np.bool_]:
    line = draw_line(space, _usual(close), mode, words_only=True).beside(float(close.max()), _usual(close))
    well: npt.NDArray[np.bool_] = (close >= line.well) & (close.max() >= line.best)
    return well
