"""What lies between the horizon and the objects: eight backgrounds, in layers that fade with distance."""

import math
from random import Random

from workers.scenes.canvas import Canvas, Point
from workers.scenes.palette import LAMP, MOODS, RGB, WHITE, Mood, fade, mix


def draw_place(canvas: Canvas, place: str, sky: str, horizon: float, light: float, random: Random) -> None:
    """Paints the land. `light` is where sun or moon stand (share of the width): water mirrors it."""
    _PLACES[place](canvas, MOODS[sky], horizon, light, random)


def _rolling(canvas: Canvas, level: float, swing: float, waves: float, random: Random) -> list[float]:
    """Heights (pixels) of a hill line about `level` (share of the height), `waves` hills across."""
    phase, second = random.uniform(0, 6.3), random.uniform(0, 6.3)
    heights = []
    for step in range(41):
        turn = step / 40 * math.tau
        wave = math.sin(turn * waves + phase) + 0.45 * math.sin(turn * waves * 2.1 + second)
        heights.append(canvas.height * level + canvas.unit * swing * wave)
    return heights


def _pine(canvas: Canvas, x: float, foot: float, size: float, ink: RGB, cap: RGB | None = None) -> None:
    for level in range(3):
        top, half = foot - size * (1.0 - 0.26 * level), size * (0.16 + 0.07 * level)
        low = top + size * 0.42
        canvas.polygon(((x, top), (x + half, low), (x - half, low)), ink)
        if cap:
            canvas.polygon(((x, top), (x + half * 0.5, top + size * 0.2), (x - half * 0.5, top + size * 0.2)), cap)


def _sea(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    if random.random() < 0.5:
        islands = _rolling(canvas, horizon + 0.012, 0.018, 1.2, random)
        canvas.land(islands, mood.land((86, 120, 132), 0.8))
    _water(canvas, mood, horizon, 1.0, light, random)


def _water(canvas: Canvas, mood: Mood, top: float, bottom: float, light: float, random: Random) -> None:
    far, near = mood.land((74, 168, 194), 0.5), mood.land((16, 92, 142))
    canvas.gradient((far, mix(far, near, 0.6), near), top, bottom)
    shine = mix(mood.sky[-1], WHITE, 0.4)
    for step in range(16):
        depth = (step + random.random()) / 16
        y = canvas.height * (top + (bottom - top) * depth)
        half = canvas.unit * (0.02 + 0.05 * depth) * random.uniform(0.5, 1.2)
        x = light * canvas.width + canvas.unit * random.uniform(-0.05, 0.05)
        canvas.oval(x, y, half, canvas.unit * 0.006, fade(shine, 0.55 - 0.3 * depth))
    for _ in range(26):
        depth = random.random()
        y, x = canvas.height * (top + (bottom - top) * depth), canvas.width * random.random()
        half = canvas.unit * (0.02 + 0.06 * depth)
        canvas.oval(x, y, half, canvas.unit * (0.0015 + 0.003 * depth), fade(shine, 0.3))


def _beach(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    shore = horizon + (1 - horizon) * 0.42
    _water(canvas, mood, horizon, shore + 0.06, light, random)
    line = _rolling(canvas, shore, 0.016, 0.8, random)
    canvas.land([y - canvas.unit * 0.014 for y in line], fade(WHITE, 0.75))
    canvas.land(line, mood.land((206, 172, 122)))
    canvas.land([y + canvas.unit * 0.03 for y in line], mood.land((240, 214, 160)))
    for _ in range(30):
        x, y = canvas.width * random.random(), canvas.height * random.uniform(shore + 0.12, 1.0)
        canvas.oval(x, y, canvas.unit * 0.004, canvas.unit * 0.0025, mood.land((204, 170, 118)))


def _city(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    base = horizon + 0.1
    _skyline(canvas, mood, base, 0.42, 0.75, random)
    _skyline(canvas, mood, base, 0.28, 0.1, random)
    canvas.gradient((mood.land((126, 128, 140)), mood.land((92, 94, 108))), base, 1.0)
    canvas.rectangle(0, base * canvas.height, canvas.width, (base + 0.022) * canvas.height, mood.land((178, 176, 178)))
    middle, dash = canvas.height * (base + 0.62 * (1 - base)), canvas.unit * 0.06
    for step in range(int(canvas.width / dash / 2) + 1):
        x = step * dash * 2
        canvas.rectangle(x, middle, x + dash, middle + canvas.unit * 0.01, mood.land((232, 226, 206)))


def _skyline(canvas: Canvas, mood: Mood, base: float, tall: float, distance: float, random: Random) -> None:
    x, foot = -canvas.unit * random.uniform(0.0, 0.08), base * canvas.height
    walls = ((104, 112, 138), (132, 124, 142), (88, 104, 132), (148, 136, 140))
    while x < canvas.width:
        width = canvas.unit * random.uniform(0.09, 0.15)
        top = foot - canvas.unit * tall * random.uniform(0.45, 1.0)
        wall = mood.land(random.choice(walls), distance)
        canvas.rectangle(x, top, x + width, foot, wall)
        if random.random() < 0.3:
            canvas.polygon(((x, top), (x + width / 2, top - width * 0.45), (x + width, top)), wall)
        if distance < 0.5:
            _windows(canvas, mood, (x, top, x + width, foot), wall, random)
        x += width + canvas.unit * random.choice((0.0, 0.0, 0.012))


def _windows(
    canvas: Canvas, mood: Mood, wall_box: tuple[float, float, float, float], wall: RGB, random: Random
) -> None:
    x0, top, x1, foot = wall_box
    cell, dark, lit = canvas.unit * 0.03, mix(wall, (20, 26, 50), 0.3), mix(LAMP, wall, 0.1)
    columns = max(2, int((x1 - x0) / cell))
    step = (x1 - x0) / columns
    rows = int((foot - top) / cell)
    for row in range(1, rows):
        for column in range(columns):
            glow = mood.lamps and random.random() < 0.55
            x, y = x0 + (column + 0.28) * step, top + (row - 0.3) * cell
            canvas.rectangle(x, y, x + step * 0.44, y + cell * 0.5, lit if glow else dark)


def _meadow(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    greens = ((150, 196, 120), (134, 188, 92), (116, 176, 72), (100, 162, 62))
    for index, green in enumerate(greens):
        level = horizon + (0.0, 0.05, 0.13, 0.25)[index]
        canvas.land(_rolling(canvas, level, 0.03 - 0.005 * index, 1.1, random), mood.land(green, 0.6 - 0.2 * index))
    blossoms = ((250, 246, 224), (250, 222, 110), (244, 190, 206))
    for _ in range(46):
        depth = random.random()
        x, y = canvas.width * random.random(), canvas.height * (horizon + 0.14 + (0.86 - horizon) * depth)
        size = canvas.unit * (0.002 + 0.004 * depth)
        canvas.line(((x, y), (x, y + size * 4)), mood.land((70, 130, 56)), size * 0.7)
        canvas.oval(x, y, size, size, mood.land(random.choice(blossoms)))


def _snow(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    whites = ((196, 214, 232), (216, 228, 240), (234, 240, 248))
    for index, white in enumerate(whites):
        level = horizon + (0.0, 0.07, 0.19)[index]
        line = _rolling(canvas, level, 0.026, 1.0, random)
        if index < 2:
            for _ in range(5):
                step = random.randrange(41)
                size = canvas.unit * (0.1 + 0.06 * index) * random.uniform(0.7, 1.2)
                x = step * canvas.width / 40
                pine = mood.land((60, 96, 96), 0.5 - 0.35 * index)
                _pine(canvas, x, line[step] + size * 0.2, size, pine, mood.land((240, 245, 250)))
        canvas.land(line, mood.land(white, 0.3 - 0.15 * index))
    for _ in range(50):
        size = canvas.unit * random.choice((0.003, 0.0045, 0.006))
        x, y = canvas.width * random.random(), canvas.height * random.random()
        canvas.oval(x, y, size, size, fade(WHITE, 0.8))


def _desert(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    sands = ((232, 184, 120), (226, 168, 98), (216, 150, 80))
    for index, sand in enumerate(sands):
        level = horizon + (0.0, 0.08, 0.2)[index]
        colour = mood.land(sand, 0.4 - 0.2 * index)
        line = _rolling(canvas, level, 0.036, 0.9, random)
        canvas.land(line, colour)
        _dune_shade(canvas, line, mix(colour, (120, 62, 60), 0.26))
        if index < 2:
            _cactus(canvas, canvas.width * random.random(), level, mood.land((92, 130, 84), 0.3), random)


def _dune_shade(canvas: Canvas, line: list[float], ink: RGB) -> None:
    """The lee of the highest dune: a crescent under its crest, deepest in its middle."""
    top = min(range(6, 30), key=line.__getitem__)
    step = canvas.width / 40
    crest: list[Point] = [(index * step, line[index]) for index in range(top, top + 11)]
    depth = [canvas.unit * 0.075 * math.sin(math.pi * index / 10) ** 1.5 for index in range(11)]
    lee: list[Point] = [(x - step * 0.4, y + down) for (x, y), down in zip(crest, depth, strict=True)]
    canvas.polygon([*crest, *reversed(lee)], ink)


def _cactus(canvas: Canvas, x: float, level: float, ink: RGB, random: Random) -> None:
    size = canvas.unit * random.uniform(0.05, 0.08)
    foot = canvas.height * level + canvas.unit * 0.05
    canvas.line(((x, foot), (x, foot - size * 1.6)), ink, size * 0.3)
    canvas.oval(x, foot - size * 1.6, size * 0.15, size * 0.15, ink)
    for side, rise in ((-1, 0.75), (1, 0.95)):
        elbow, tip = (
            (x + side * size * 0.5, foot - size * rise),
            (x + side * size * 0.5, foot - size * (rise + 0.45)),
        )
        canvas.line(((x, foot - size * rise), elbow, tip), ink, size * 0.22)


def _forest(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    greens = ((104, 152, 122), (64, 122, 88), (34, 92, 62))
    for index, green in enumerate(greens):
        foot = canvas.height * (horizon + 0.04 + 0.06 * index)
        size = canvas.unit * (0.24 + 0.05 * index)
        colour = mood.land(green, 0.75 - 0.35 * index)
        x = -size * 0.2
        while x < canvas.width + size * 0.2:
            _pine(canvas, x, foot + size * 0.06, size * random.uniform(0.75, 1.25), colour)
            x += size * random.uniform(0.2, 0.42)
        canvas.rectangle(0, foot, canvas.width, canvas.height, colour)
    ground = canvas.height * (horizon + 0.17)
    canvas.land(
        [ground + y - canvas.height * 0.5 for y in _rolling(canvas, 0.5, 0.01, 1.3, random)],
        mood.land((86, 116, 62)),
    )
    for _ in range(26):
        x, y = canvas.width * random.random(), random.uniform(ground, canvas.height)
        canvas.oval(x, y, canvas.unit * 0.03, canvas.unit * 0.006, mood.land((68, 98, 52)))


def _mountains(canvas: Canvas, mood: Mood, horizon: float, light: float, random: Random) -> None:
    for index, rock in enumerate(((134, 146, 172), (98, 112, 146))):
        distance, x = 0.6 - 0.45 * index, -canvas.unit * 0.1
        foot = canvas.height * (horizon + 0.05) + canvas.unit * 0.06
        while x < canvas.width + canvas.unit * 0.1:
            height = canvas.unit * random.uniform(0.26, 0.42) * (1.0 - 0.28 * index)
            half = height * random.uniform(0.7, 0.95)
            _peak(canvas, mood, (x, foot), (half, height), rock, distance)
            x += half * random.uniform(0.9, 1.4)
    hills = ((104, 140, 116), (92, 134, 92))
    for index, green in enumerate(hills):
        level = horizon + 0.05 + 0.13 * index
        canvas.land(_rolling(canvas, level, 0.02, 1.2, random), mood.land(green, 0.3 - 0.2 * index))


def _peak(canvas: Canvas, mood: Mood, foot: Point, size: tuple[float, float], rock: RGB, distance: float) -> None:
    (x, y), (half, height) = foot, size
    colour = mood.land(rock, distance)
    shade, snow = mix(colour, (36, 40, 78), 0.22), mood.land((246, 249, 252), distance * 0.6)
    top = y - height
    canvas.polygon(((x - half, y), (x, top), (x + half, y)), colour)
    canvas.polygon(((x, top), (x + half, y), (x + half * 0.18, y)), shade)
    cap = 0.3
    canvas.polygon(
        (
            (x, top),
            (x + half * cap, top + height * cap),
            (x + half * 0.12, top + height * 0.22),
            (x, top + height * 0.34),
            (x - half * 0.14, top + height * 0.23),
            (x - half * cap, top + height * cap),
        ),
        snow,
    )


_PLACES = {
    "sea": _sea,
    "beach": _beach,
    "city": _city,
    "meadow": _meadow,
    "snow": _snow,
    "desert": _desert,
    "forest": _forest,
    "mountains": _mountains,
}
