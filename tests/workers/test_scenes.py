"""Drawn scenes: what is sampled, what is written about it, how it looks, and the sample of the demo."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from workers.encoders.training.truth import facts_of, true_pairs
from workers.scenes.captions import (
    Caption,
    Terms,
    ThingTerm,
    full_caption,
    matches,
    short_caption,
    short_queries,
)
from workers.scenes.drawing import draw
from workers.scenes.sample import THEMES, themed_scene, write_sample
from workers.scenes.scene import (
    Group,
    Scene,
    draw_distinct_scenes,
    draw_scenes,
    is_held_out,
    place_scene,
)
from workers.scenes.vocabulary import COLOURS, PLACES, SKIES, THINGS

RED_BOAT = Scene("sea", "night", (Group("boat", "red", 1),), horizon=0.6, scale=0.9, layout=11)


def test_the_same_seed_gives_the_same_scenes_and_another_seed_others() -> None:
    assert draw_scenes(3, 40) == draw_scenes(3, 40)
    assert draw_scenes(3, 40) != draw_scenes(4, 40)


def test_training_scenes_and_held_out_scenes_share_no_triple() -> None:
    def triples(scenes: list[Scene]) -> set[tuple[str, str, str]]:
        return {(scene.place, group.thing, group.colour) for scene in scenes for group in scene.groups}

    known, unseen = triples(draw_scenes(1, 3000)), triples(draw_scenes(1, 300, held_out=True))
    assert len(unseen) > 80
    assert not known & unseen
    assert all(is_held_out(*triple) for triple in unseen)


def test_every_word_of_the_vocabulary_is_held_out_somewhere_but_never_everywhere() -> None:
    for thing in THINGS:
        for colour in COLOURS:
            assert not all(is_held_out(place, thing, colour) for place in PLACES)
    for place in PLACES:
        assert any(is_held_out(place, thing, colour) for thing in THINGS for colour in COLOURS)


def test_distinct_scenes_have_distinct_descriptions() -> None:
    scenes = draw_distinct_scenes(5, 400, held_out=True)
    assert len({(scene.place, scene.sky, frozenset(scene.groups)) for scene in scenes}) == 400


def test_the_same_scene_and_size_give_the_same_pixels() -> None:
    assert draw(RED_BOAT, 96, 64).tobytes() == draw(RED_BOAT, 96, 64).tobytes()
    assert draw(replace(RED_BOAT, layout=12), 96, 64).tobytes() != draw(RED_BOAT, 96, 64).tobytes()


@pytest.mark.parametrize("thing", THINGS)
def test_a_thing_is_drawn_in_its_colour_in_every_place(thing: str) -> None:
    for place in PLACES:
        red, blue = (
            np.asarray(draw(Scene(place, "day", (Group(thing, colour, 1),), 0.6, 1.0, 5), 120, 90), np.int16)
            for colour in ("red", "blue")
        )
        redder = (red[..., 0] - red[..., 2]) - (blue[..., 0] - blue[..., 2])
        assert (redder > 100).mean() > 0.01
        assert (np.abs(red - blue).max(-1) == 0).mean() > 0.6  # and nothing else changes


def test_a_large_picture_shows_what_a_small_one_shows() -> None:
    for scene in draw_scenes(8, 6):
        large, small = (
            np.asarray(draw(scene, *size).resize((48, 32), Image.Resampling.BICUBIC), np.float32)
            for size in ((1200, 800), (180, 120))
        )
        assert np.abs(large - small).mean() < 6


def test_pictures_have_the_size_that_was_asked_for() -> None:
    for size in ((64, 64), (333, 201), (90, 160)):
        picture = draw(RED_BOAT, *size)
        assert (picture.size, picture.mode) == (size, "RGB")


def test_captions_are_true_of_their_scenes() -> None:
    random = Random(2)
    for scene in draw_scenes(2, 800):
        for caption in (full_caption(scene, random), short_caption(scene, random)):
            assert matches(scene, caption.terms), caption.text


def test_a_full_caption_is_false_when_anything_is_different() -> None:
    terms = full_caption(RED_BOAT, Random(1)).terms
    assert matches(RED_BOAT, terms)
    assert not matches(replace(RED_BOAT, place="beach"), terms)
    assert not matches(replace(RED_BOAT, sky="day"), terms)
    for group in (Group("boat", "blue", 1), Group("boat", "red", 2), Group("car", "red", 1)):
        assert not matches(replace(RED_BOAT, groups=(group,)), terms)


def test_a_full_caption_names_everything() -> None:
    random = Random(4)
    for scene in draw_scenes(4, 200):
        text = full_caption(scene, random).text
        for group in scene.groups:
            words = THINGS[group.thing].names + THINGS[group.thing].plurals
            assert any(word in text for word in words), text
            assert any(colour in text for colour in COLOURS[group.colour]), text


def test_three_red_boats_show_a_red_boat_but_not_two_boats() -> None:
    three = replace(RED_BOAT, groups=(Group("boat", "red", 3),))
    assert matches(three, Terms((ThingTerm("boat", "red"),)))
    assert matches(three, Terms((ThingTerm("boat", None, 3),)))
    assert not matches(three, Terms((ThingTerm("boat", None, 2),)))


def test_a_forest_has_trees_and_a_night_has_stars_but_no_red_ones() -> None:
    forest = replace(RED_BOAT, place="forest")
    assert matches(forest, Terms((ThingTerm("tree"),)))
    assert matches(RED_BOAT, Terms((ThingTerm("star"),)))
    assert not matches(forest, Terms((ThingTerm("tree", "red"),)))
    assert not matches(RED_BOAT, Terms((ThingTerm("star", None, 3),)))
    assert not matches(RED_BOAT, Terms((ThingTerm("tree"),)))


def test_the_truth_in_arrays_is_the_truth() -> None:
    random = Random(6)
    scenes = draw_scenes(6, 60) + draw_scenes(6, 20, held_out=True)
    captions: list[Caption] = [make(scene, random) for scene in scenes for make in (full_caption, short_caption)]
    captions += short_queries()
    fast = true_pairs([caption.terms for caption in captions], facts_of(scenes))
    slow = [[matches(scene, caption.terms) for scene in scenes] for caption in captions]
    assert (fast == np.array(slow)).all()


def test_short_queries_say_each_thing_once() -> None:
    texts = [query.text for query in short_queries()]
    assert len(texts) == len(set(texts))
    assert {"a red boat", "three stars", "an orange umbrella", "a boat on the sea"} <= set(texts)


def test_a_sample_lies_in_themed_folders_as_a_camera_would_leave_it(tmp_path: Path) -> None:
    paths = list(write_sample(tmp_path, count=24, seed=3))
    assert len(set(paths)) == 24
    assert {path.parent.name for path in paths} == {"harbour", "city-nights", "meadows", "winter"}
    assert paths[0].name == "harbour-0001.jpg"
    years, cameras, places, shapes = set(), set(), 0, set()
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert min(picture.size) >= 768
            shapes.add(picture.width > picture.height)
            exif = picture.getexif()
        years.add(exif.get_ifd(0x8769)[0x9003][:4])
        cameras.add(exif.get(0x0110))
        places += bool(exif.get_ifd(0x8825))
    assert len(years) > 3
    assert None in cameras
    assert len(cameras) > 2
    assert 0 < places < 24
    assert shapes == {True, False}


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first, second = (
        [path.read_bytes() for path in write_sample(tmp_path / name, count=3, seed=9)] for name in ("a", "b")
    )
    assert first == second


def test_every_theme_asks_only_for_what_can_be_drawn() -> None:
    random = Random(1)
    for theme in THEMES:
        for _ in range(50):
            scene = themed_scene(theme, random)
            assert scene.place in PLACES
            assert scene.sky in SKIES
            assert all(group.thing in THINGS for group in scene.groups)
            assert len({group.thing for group in scene.groups}) == len(scene.groups)


def test_the_command_draws_a_sample_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("draw_sample", str(tmp_path / "sample"), "--count", "4")
    assert len(list((tmp_path / "sample").glob("*/*.jpg"))) == 4
    assert "4 pictures drawn" in capsys.readouterr().out


def test_the_command_says_why_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="could not be written"):
        call_command("draw_sample", str(tmp_path / "file"))


def test_a_scene_keeps_its_contents_whatever_the_composition() -> None:
    scene = place_scene(Random(1), "city", "rain", (Group("cat", "white", 2),))
    assert (scene.place, scene.sky, scene.groups) == ("city", "rain", (Group("cat", "white", 2),))
