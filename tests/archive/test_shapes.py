"""Pictures keep their proportions in a grid, although no style attribute may carry them."""

import re
from pathlib import Path

import pytest

from archive.models import Asset
from archive.templatetags.shapes import BONES, SHAPES, clock, format_name, shape

STYLES = Path(__file__).resolve().parents[2] / "templates" / "static" / "css" / "shapes.css"


def test_every_shape_has_its_rule_in_the_style_sheet() -> None:
    rules = dict(re.findall(r"\.r-(\d+) \{ --r: ([\d.]+) \}", STYLES.read_text()))
    assert {int(name): float(ratio) for name, ratio in rules.items()} == {n: n / 100 for n in SHAPES}
    assert {int(bone.removeprefix("r-")) for bone in BONES} <= set(SHAPES)


@pytest.mark.parametrize(("width", "height"), [(3000, 2000), (4032, 3024), (1080, 1920), (1000, 1001), (617, 211)])
def test_a_picture_loses_less_than_two_percent_to_its_shape(width: int, height: int) -> None:
    ratio = int(shape(Asset(width=width, height=height)).removeprefix("r-")) / 100
    assert abs(ratio / (width / height) - 1) < 0.02


def test_extreme_panoramas_are_cut_to_three_to_one() -> None:
    assert shape(Asset(width=9000, height=500)) == "r-300"
    assert shape(Asset(width=100, height=5000)) == "r-40"


def test_a_picture_of_unknown_size_takes_an_ordinary_place() -> None:
    assert shape(Asset()) == "r-150"


@pytest.mark.parametrize(("seconds", "text"), [(None, "0:00"), (42.9, "0:42"), (61, "1:01"), (3729, "1:02:09")])
def test_seconds_read_like_a_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_formats_have_names_that_people_know() -> None:
    assert format_name(Asset(media_type="image/jpeg")) == "JPEG"
    assert format_name(Asset(media_type="image/x-unheard-of")) == "image/x-unheard-of"
