"""The objects, each drawn with a pen in its own square: feet at y = 1, top at y = -1."""

import math
from collections.abc import Callable
from itertools import pairwise

from workers.scenes.canvas import Pen, Point
from workers.scenes.palette import DARK, LAMP, WHITE, WOOD, Mood, Tint, mix


def draw_thing(pen: Pen, thing: str, colour: str, mood: Mood) -> None:
    _THINGS[thing](pen, mood.tint(colour), mood)


def _boat(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.box(-0.03, -0.98, 0.03, 0.5, mood.object(WOOD))
    pen.polygon(((0.07, -0.94), (0.86, 0.34), (0.07, 0.34)), tint.base)
    pen.polygon(((0.07, -0.94), (0.42, -0.37), (0.07, 0.34)), tint.light)
    pen.polygon(((-0.08, -0.7), (-0.08, 0.34), (-0.7, 0.34)), mood.object(WHITE))
    pen.polygon(((-0.98, 0.46), (0.98, 0.46), (0.7, 0.94), (-0.68, 0.94)), tint.base)
    pen.polygon(((-0.82, 0.72), (0.84, 0.72), (0.7, 0.94), (-0.68, 0.94)), tint.shade)
    pen.box(-0.98, 0.44, 0.98, 0.53, mood.object(WHITE))


def _fish(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.smooth(((0.35, 0.0), (0.7, -0.2), (1.15, -0.7), (0.92, 0.0), (1.15, 0.7), (0.7, 0.2)), tint.shade)
    pen.smooth(((-0.35, -0.3), (0.1, -0.95), (0.45, -0.55), (0.3, -0.2)), tint.shade)
    pen.smooth(
        ((-1.08, 0.0), (-0.8, -0.5), (-0.1, -0.72), (0.7, -0.1), (0.7, 0.1), (-0.1, 0.72), (-0.8, 0.5)),
        tint.base,
    )
    pen.smooth(((-0.7, 0.28), (-0.1, 0.4), (0.5, 0.12), (-0.1, 0.66), (-0.6, 0.5)), tint.light)
    pen.smooth(((-0.1, 0.05), (0.3, 0.0), (0.26, 0.4), (0.06, 0.3)), tint.shade)
    pen.disc(-0.58, -0.12, 0.13, mood.object(WHITE))
    pen.disc(-0.6, -0.12, 0.07, DARK)


def _car(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.smooth(((-0.74, 0.3), (-0.6, -0.42), (-0.2, -0.52), (0.2, -0.52), (0.46, -0.4), (0.86, 0.3)), tint.base)
    glass = mood.object((206, 230, 240))
    pen.polygon(((-0.5, 0.12), (-0.42, -0.28), (-0.06, -0.32), (-0.06, 0.12)), glass)
    pen.polygon(((0.04, 0.12), (0.04, -0.32), (0.3, -0.27), (0.56, 0.12)), glass)
    pen.smooth(((-1.04, 0.76), (-1.04, 0.14), (-0.5, 0.1), (0.6, 0.1), (1.06, 0.22), (1.04, 0.76)), tint.base)
    pen.smooth(((-1.0, 0.78), (-1.0, 0.52), (1.0, 0.52), (1.0, 0.78)), tint.shade)
    pen.oval(0.9, 0.36, 0.09, 0.08, mood.object(LAMP))
    for x in (-0.54, 0.56):
        pen.disc(x, 0.7, 0.27, mood.object(DARK))
        pen.disc(x, 0.7, 0.12, mood.object((206, 208, 212)))


def _house(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.box(0.36, -0.92, 0.58, -0.3, mood.object((150, 92, 80)))
    pen.box(-0.76, -0.14, 0.76, 1.0, tint.base)
    pen.box(0.3, -0.14, 0.76, 1.0, tint.shade)
    pen.polygon(((-0.98, -0.08), (0.0, -0.92), (0.98, -0.08)), mood.object((96, 68, 74)))
    pen.polygon(((-0.76, -0.08), (0.0, -0.72), (0.76, -0.08)), tint.base)
    pane = mood.object(LAMP) if mood.lamps else mood.object((206, 230, 240))
    pen.disc(0.0, -0.3, 0.13, pane)
    for x in (-0.58, 0.24):
        pen.box(x, 0.14, x + 0.34, 0.5, mood.object(WHITE))
        pen.box(x + 0.04, 0.18, x + 0.3, 0.46, pane)
    pen.box(-0.16, 0.38, 0.12, 1.0, mood.object((110, 70, 52)))


def _tree(pen: Pen, tint: Tint, mood: Mood) -> None:
    trunk = mood.object(WOOD)
    pen.polygon(((-0.1, 0.1), (0.1, 0.1), (0.16, 1.0), (-0.16, 1.0)), trunk)
    pen.line(((0.0, 0.5), (0.32, 0.2)), trunk, 0.08)
    for x, y, r in ((-0.42, 0.02, 0.42), (0.42, 0.0, 0.44), (0.0, 0.16, 0.4)):
        pen.disc(x, y, r, tint.shade)
    for x, y, r in ((-0.36, -0.16, 0.42), (0.36, -0.2, 0.42), (0.0, -0.46, 0.5)):
        pen.disc(x, y, r, tint.base)
    pen.disc(-0.16, -0.56, 0.24, tint.light)
    pen.disc(-0.46, -0.22, 0.14, tint.light)


def _flower(pen: Pen, tint: Tint, mood: Mood) -> None:
    green = mood.object((58, 126, 66))
    pen.line(((0.02, -0.2), (0.06, 0.4), (0.0, 1.0)), green, 0.1)
    pen.smooth(((0.02, 0.86), (0.2, 0.36), (0.66, 0.3), (0.42, 0.76)), green)
    pen.smooth(((0.02, 0.92), (-0.16, 0.5), (-0.6, 0.44), (-0.38, 0.84)), green)
    for petal in range(6):
        turn = petal * math.pi / 3 + 0.3
        x, y = 0.38 * math.cos(turn), -0.42 + 0.38 * math.sin(turn)
        pen.oval(x, y, 0.28, 0.21, tint.base if petal % 2 else tint.light, turn)
    heart = mix(LAMP, (200, 120, 30), 0.2)
    pen.disc(0.0, -0.42, 0.21, mood.object((150, 92, 40) if tint.base[2] < 110 < tint.base[1] else heart))


def _cat(pen: Pen, tint: Tint, mood: Mood) -> None:
    outer: list[Point] = [(0.2, 0.98), (0.7, 1.02), (1.04, 0.74), (0.96, 0.36), (0.84, 0.1), (0.98, -0.16)]
    inner: list[Point] = [(0.8, -0.2), (0.66, 0.08), (0.78, 0.42), (0.78, 0.68), (0.6, 0.8), (0.2, 0.76)]
    pen.smooth(outer + inner, tint.shade)
    pen.smooth(((-0.62, 1.04), (-0.5, 0.1), (0.0, -0.26), (0.5, 0.1), (0.66, 1.04)), tint.base)
    pen.oval(0.0, 0.66, 0.22, 0.28, tint.light)
    pen.polygon(((-0.52, -0.4), (-0.48, -1.0), (-0.08, -0.68)), tint.base)
    pen.polygon(((0.52, -0.4), (0.48, -1.0), (0.08, -0.68)), tint.base)
    pen.polygon(((-0.43, -0.6), (-0.42, -0.86), (-0.22, -0.68)), mood.object((244, 176, 170)))
    pen.polygon(((0.43, -0.6), (0.42, -0.86), (0.22, -0.68)), mood.object((244, 176, 170)))
    pen.oval(0.0, -0.36, 0.52, 0.42, tint.base)
    for x in (-0.2, 0.2):
        pen.oval(x, -0.42, 0.1, 0.12, mood.object((244, 238, 170)))
        pen.oval(x, -0.42, 0.045, 0.11, DARK)
        pen.line(((x * 0.9, -0.2), (x * 3.4, -0.14)), DARK, 0.02)
        pen.oval(x * 1.1, 0.95, 0.17, 0.09, tint.light)
    pen.polygon(((-0.06, -0.26), (0.06, -0.26), (0.0, -0.18)), DARK)


def _umbrella(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.line(((0.0, -0.9), (0.0, 0.8), (0.07, 0.94), (0.2, 0.94), (0.26, 0.8)), mood.object(WOOD), 0.07)
    arc = [(math.cos(math.pi * k / 24), -0.86 * math.sin(math.pi * k / 24)) for k in range(25)]
    scallops: list[Point] = []
    for rib in range(5):
        left = -1 + 0.4 * rib
        scallops += [(left + 0.1, 0.0), (left + 0.2, -0.05), (left + 0.3, 0.0), (left + 0.4, 0.06)]
    pen.polygon([(x, y) for x, y in arc] + scallops, tint.base)
    for half, ink in ((0.6, tint.shade), (0.2, tint.light)):
        panel = [(half * x, y) for x, y in arc]
        edge = [(x, y) for x, y in scallops if abs(x) <= half + 0.01]
        pen.polygon([*panel, (-half, 0.06), *edge, (half, 0.06)], ink)


def _bicycle(pen: Pen, tint: Tint, mood: Mood) -> None:
    tyre = mood.object(DARK)
    for x in (-0.56, 0.56):
        pen.ring(x, 0.5, 0.42, tyre, 0.09)
        pen.ring(x, 0.5, 0.34, tint.light, 0.07)
        for turn in (0.3, 1.35, 2.4):
            dx, dy = 0.33 * math.cos(turn), 0.33 * math.sin(turn)
            pen.line(((x - dx, 0.5 - dy), (x + dx, 0.5 + dy)), mood.object((190, 192, 198)), 0.02)
    rear, crank, saddle, head, front = (-0.56, 0.5), (-0.06, 0.52), (-0.26, -0.24), (0.36, -0.26), (0.56, 0.5)
    for tube in ((rear, crank, saddle, rear), (crank, head, saddle), (head, front)):
        pen.line(tube, tint.base, 0.13)
    pen.line(((-0.3, -0.4), (-0.24, -0.2)), tyre, 0.08)
    pen.oval(-0.32, -0.44, 0.2, 0.08, tyre)
    pen.line(((0.36, -0.26), (0.3, -0.54), (0.54, -0.6)), tyre, 0.08)
    pen.disc(-0.06, 0.52, 0.1, tyre)
    pen.polygon(((0.44, -0.5), (0.92, -0.5), (0.84, -0.1), (0.52, -0.1)), tint.base)
    pen.box(0.44, -0.54, 0.92, -0.44, tint.shade)


def _lighthouse(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.smooth(((-0.8, 1.06), (-0.5, 0.76), (0.0, 0.84), (0.54, 0.74), (0.84, 1.06)), mood.object((128, 122, 124)))
    white = mood.object(WHITE)
    edges = [(0.36 - 0.035 * level, 0.9 - 0.21 * level) for level in range(7)]
    for level, ((low_half, low), (high_half, high)) in enumerate(pairwise(edges)):
        ink = tint.base if level % 2 == 0 else white
        pen.polygon(((-low_half, low), (low_half, low), (high_half, high), (-high_half, high)), ink)
    pen.polygon(((0.12, 0.9), (0.36, 0.9), (0.15, -0.36), (0.05, -0.36)), (30, 24, 62, 36))
    pen.box(-0.26, -0.44, 0.26, -0.34, mood.object(DARK))
    pen.box(-0.15, -0.68, 0.15, -0.44, mood.object(LAMP))
    pen.polygon(((-0.24, -0.66), (0.0, -0.98), (0.24, -0.66)), tint.base)
    pen.polygon(((0.15, -0.6), (1.1, -0.82), (1.1, -0.34), (0.15, -0.5)), (255, 236, 170, 90 if mood.lamps else 30))


def _mushroom(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.smooth(
        ((-0.3, 1.04), (-0.24, 0.3), (-0.22, 0.0), (0.22, 0.0), (0.24, 0.3), (0.34, 1.04)),
        mood.object((240, 226, 202)),
    )
    cap = [(math.cos(math.pi * k / 24), 0.2 - 1.02 * math.sin(math.pi * k / 24)) for k in range(25)]
    pen.polygon([*cap, (-0.7, 0.32), (0.0, 0.36), (0.7, 0.32)], tint.base)
    pen.polygon(((-1.0, 0.2), (-0.7, 0.32), (0.0, 0.36), (0.7, 0.32), (1.0, 0.2), (0.0, 0.24)), tint.shade)
    dots = mood.object((120, 88, 78)) if min(tint.base) > 190 else mood.object(WHITE)
    for x, y, rx, ry in (
        (-0.5, -0.1, 0.15, 0.13),
        (0.06, -0.42, 0.18, 0.15),
        (0.56, -0.06, 0.13, 0.12),
        (0.1, 0.04, 0.1, 0.08),
    ):
        pen.oval(x, y, rx, ry, dots)


def _balloon(pen: Pen, tint: Tint, mood: Mood) -> None:
    rope = mood.object((110, 88, 72))
    pen.line(((-0.4, 0.2), (-0.14, 0.72)), rope, 0.03)
    pen.line(((0.4, 0.2), (0.14, 0.72)), rope, 0.03)
    pen.smooth(((-0.2, 0.5), (-1.0, 0.0), (-0.86, -1.06), (0.86, -1.06), (1.0, 0.0), (0.2, 0.5)), tint.base)
    pen.smooth(((-0.1, 0.45), (-0.5, -0.1), (-0.42, -1.06), (0.42, -1.06), (0.5, -0.1), (0.1, 0.45)), tint.light)
    pen.smooth(((-0.06, 0.4), (-0.2, -0.1), (-0.16, -1.02), (0.16, -1.02), (0.2, -0.1), (0.06, 0.4)), tint.base)
    pen.box(-0.18, 0.7, 0.18, 0.98, mood.object((158, 110, 66)))
    pen.box(-0.2, 0.68, 0.2, 0.76, mood.object((118, 78, 48)))


def _bird(pen: Pen, tint: Tint, mood: Mood) -> None:
    pen.smooth(((-0.1, 0.06), (-0.02, -0.5), (0.5, -1.02), (0.42, -0.4), (0.36, 0.1)), tint.shade)
    pen.polygon(((0.44, 0.14), (1.02, -0.12), (0.92, 0.16), (1.02, 0.4)), tint.shade)
    pen.smooth(((-0.84, 0.02), (-0.6, -0.24), (0.0, -0.14), (0.66, 0.12), (0.2, 0.62), (-0.5, 0.5)), tint.base)
    pen.smooth(((-0.56, 0.34), (0.0, 0.3), (0.36, 0.3), (0.1, 0.56), (-0.4, 0.5)), tint.light)
    pen.disc(-0.58, -0.06, 0.29, tint.base)
    pen.polygon(((-0.83, -0.14), (-1.1, 0.02), (-0.83, 0.1)), mood.object((240, 160, 50)))
    pen.disc(-0.66, -0.12, 0.06, DARK)
    pen.smooth(((-0.26, 0.14), (-0.36, -0.44), (-0.16, -1.1), (0.16, -0.5), (0.4, 0.18)), tint.light)


def _butterfly(pen: Pen, tint: Tint, mood: Mood) -> None:
    for side in (-1, 1):
        pen.smooth(
            ((0.0, 0.06), (side * 0.2, -0.7), (side * 1.0, -1.0), (side * 1.0, -0.1), (side * 0.3, 0.12)),
            tint.base,
        )
        pen.smooth(
            ((0.0, 0.02), (side * 0.5, 0.0), (side * 0.94, 0.4), (side * 0.44, 1.0), (side * 0.08, 0.5)),
            tint.shade,
        )
        pen.oval(side * 0.6, -0.46, 0.17, 0.2, tint.light)
        pen.oval(side * 0.46, 0.46, 0.11, 0.13, tint.light)
        pen.line(((0.0, -0.5), (side * 0.24, -0.92)), mood.object(DARK), 0.04)
    pen.oval(0.0, 0.06, 0.09, 0.6, mood.object(DARK))


def _kite(pen: Pen, tint: Tint, mood: Mood) -> None:
    string = mood.object((240, 236, 226))
    tail: list[Point] = [(0.1, 0.3), (0.22, 0.5), (0.06, 0.68), (0.2, 0.84), (0.1, 1.0)]
    pen.line(tail, string, 0.035)
    for x, y in tail[1:4]:
        pen.polygon(((x - 0.14, y - 0.07), (x, y), (x - 0.14, y + 0.07)), tint.base)
        pen.polygon(((x + 0.14, y - 0.07), (x, y), (x + 0.14, y + 0.07)), tint.base)
    top, left, low, right, heart = (0.0, -1.0), (-0.72, -0.36), (0.1, 0.4), (0.72, -0.44), (0.02, -0.4)
    pen.polygon((top, left, heart), tint.base)
    pen.polygon((top, right, heart), tint.light)
    pen.polygon((left, low, heart), tint.shade)
    pen.polygon((right, low, heart), tint.base)


def _star(pen: Pen, tint: Tint, mood: Mood) -> None:
    points: list[Point] = []
    for corner in range(10):
        radius, turn = (1.0 if corner % 2 == 0 else 0.44), math.pi * corner / 5 - math.pi / 2
        points.append((radius * math.cos(turn), 0.06 + radius * math.sin(turn)))
    pen.polygon(points, tint.base)
    for corner in range(0, 10, 2):
        pen.polygon(((0.0, 0.06), points[corner], points[corner - 1]), tint.light)


_THINGS: dict[str, Callable[[Pen, Tint, Mood], None]] = {
    "boat": _boat,
    "fish": _fish,
    "car": _car,
    "house": _house,
    "tree": _tree,
    "flower": _flower,
    "cat": _cat,
    "umbrella": _umbrella,
    "bicycle": _bicycle,
    "lighthouse": _lighthouse,
    "mushroom": _mushroom,
    "balloon": _balloon,
    "bird": _bird,
    "butterfly": _butterfly,
    "kite": _kite,
    "star": _star,
}
