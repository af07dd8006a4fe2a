"""Draws a scene at any size: the sky, the land, the weather, then the objects, far ones first."""

from dataclasses import dataclass
from random import Random

from PIL import Image

from workers.scenes.canvas import Canvas, Pen
from workers.scenes.palette import MOODS, WHITE, Mood, fade
from workers.scenes.places import draw_place
from workers.scenes.scene import Group, Scene
from workers.scenes.skies import draw_sky, draw_weather
from workers.scenes.things import draw_thing
from workers.scenes.vocabulary import THINGS

ENLARGED = 2
LANDSCAPE_WITH_WATER = frozenset({"sea"})
UPRIGHT = frozenset({"house", "car", "cat", "bicycle", "lighthouse", "boat", "tree", "umbrella", "mushroom", "flower"})


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an object stands: middle of its square and half of its side, in pixels of the enlarged canvas."""

    x: float
    y: float
    radius: float


def draw(scene: Scene, width: int, height: int) -> Image.Image:
    """The scene as an 8-bit RGB picture. The same scene and size give the same pixels."""
    canvas = Canvas(width, height, ENLARGED)
    random = Random(scene.layout)
    light = draw_sky(canvas, scene.sky, scene.horizon, random)
    draw_place(canvas, scene.place, scene.sky, scene.horizon, light, random)
    draw_weather(canvas, scene.sky, random)
    _draw_groups(canvas, scene, random)
    return canvas.finished()


def _draw_groups(canvas: Canvas, scene: Scene, random: Random) -> None:
    rows: dict[bool, list[Group]] = {True: [], False: []}
    for group in scene.groups:
        rows[THINGS[group.thing].layer == "air"].append(group)
    mood = MOODS[scene.sky]
    placed: list[tuple[_Spot, Group]] = []
    for in_air, groups in rows.items():
        members = [group for group in groups for _ in range(group.count)]
        alone = not rows[not in_air]
        spots = _spots(canvas, scene, len(members), in_air, alone, random)
        placed += zip(spots, members, strict=True)
    for spot, group in sorted(placed, key=lambda item: item[0].y + item[0].radius):
        _draw_one(canvas, scene, spot, group, mood, random)


def _spots(canvas: Canvas, scene: Scene, count: int, in_air: bool, alone: bool, random: Random) -> list[_Spot]:
    """Places for a row of `count` objects that do not cover each other; a row that is alone grows larger."""
    if not count:
        return []
    slot = canvas.width / count if count > 1 else canvas.width * 0.8
    room = canvas.height * (scene.horizon if in_air else 1 - scene.horizon + 0.12)
    radius = min(slot * 0.44, room * (0.5 if alone else 0.42), canvas.unit * 0.25) * scene.scale
    spots = []
    for index in range(count):
        spare = max(0.0, slot / 2 - radius)
        x = (index + 0.5) * canvas.width / count + random.uniform(-spare, spare) * 0.9
        if count == 1:
            x = canvas.width * random.uniform(0.3, 0.7)
        size = radius * random.uniform(0.92, 1.0)
        if in_air:
            top, low = size * 1.1, max(size * 1.15, canvas.height * (scene.horizon + 0.06) - size)
            y = random.uniform(top, low)
        else:
            foot = canvas.height * random.uniform(scene.horizon + (1 - scene.horizon) * 0.55, 0.965)
            y = max(foot - size, size * 1.1)
        spots.append(_Spot(x, y, size))
    return spots


def _draw_one(canvas: Canvas, scene: Scene, spot: _Spot, group: Group, mood: Mood, random: Random) -> None:
    layer = THINGS[group.thing].layer
    foot = spot.y + spot.radius * 0.97
    if layer == "ground" and scene.place in LANDSCAPE_WITH_WATER:
        _island(canvas, spot.x, foot, spot.radius, mood)
    elif layer == "ground":
        canvas.oval(spot.x, foot, spot.radius * 0.95, spot.radius * 0.13, (24, 22, 48, 62))
    elif layer == "water" and scene.place not in LANDSCAPE_WITH_WATER:
        _pond(canvas, spot.x, foot, spot.radius, mood)
    flip, lean = random.random() < 0.5, random.uniform(-0.16, 0.16)
    pen = Pen(canvas, spot.x, spot.y, spot.radius, flip, 0.0 if group.thing in UPRIGHT else lean)
    draw_thing(pen, group.thing, group.colour, mood)
    if group.thing == "boat":
        _bow_wave(canvas, spot.x, foot, spot.radius)


def _island(canvas: Canvas, x: float, foot: float, radius: float, mood: Mood) -> None:
    canvas.oval(x, foot + radius * 0.05, radius * 1.22, radius * 0.24, fade(WHITE, 0.5))
    canvas.oval(x, foot, radius * 1.14, radius * 0.2, mood.land((236, 208, 152)))


def _pond(canvas: Canvas, x: float, foot: float, radius: float, mood: Mood) -> None:
    canvas.oval(x, foot - radius * 0.04, radius * 1.2, radius * 0.27, mood.land((150, 200, 216)))
    canvas.oval(x, foot - radius * 0.02, radius * 1.12, radius * 0.23, mood.land((64, 146, 184)))


def _bow_wave(canvas: Canvas, x: float, foot: float, radius: float) -> None:
    canvas.oval(x, foot, radius * 0.9, radius * 0.045, fade(WHITE, 0.6))
    canvas.oval(x - radius * 0.2, foot + radius * 0.08, radius * 0.6, radius * 0.03, fade(WHITE, 0.35))
