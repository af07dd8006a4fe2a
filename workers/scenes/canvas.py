"""A canvas in pixels and a pen in the coordinates of one object: everything is drawn larger than wanted, in
shapes without outlines, and scaled down at the end. That makes edges smooth at any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from workers.scenes.palette import RGB, Ink

Point = tuple[float, float]


class Canvas:
    """`width` and `height` are those of the enlarged canvas; `unit` is its shorter side."""

    def __init__(self, width: int, height: int, enlarged: int) -> None:
        self.enlarged = enlarged
        self.width, self.height = width * enlarged, height * enlarged
        self.unit = min(self.width, self.height)
        self.image = Image.new("RGB", (self.width, self.height))
        self.ink = ImageDraw.Draw(self.image, "RGBA")

    def gradient(self, colours: Sequence[RGB], top: float, bottom: float) -> None:
        """A vertical gradient through `colours` between two heights, given in shares of the canvas."""
        strip = Image.new("RGB", (1, len(colours)))
        strip.putdata(list(colours))
        y0, y1 = round(top * self.height), round(bottom * self.height)
        # The middle of the first and the last pixel are the ends: a border of half a pixel would stay flat.
        box = (0, 0.5, 1, len(colours) - 0.5)
        column = strip.resize((1, max(1, y1 - y0)), Image.Resampling.BILINEAR, box=box)
        self.image.paste(column.resize((self.width, max(1, y1 - y0)), Image.Resampling.NEAREST), (0, y0))

    def polygon(self, points: Sequence[Point], ink: Ink) -> None:
        self.ink.polygon(points, ink)

    def oval(self, x: float, y: float, rx: float, ry: float, ink: Ink) -> None:
        self.ink.ellipse((x - rx, y - ry, x + rx, y + ry), ink)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, ink: Ink) -> None:
        self.ink.rectangle((x0, y0, x1, y1), ink)

    def line(self, points: Sequence[Point], ink: Ink, thickness: float) -> None:
        self.ink.line(points, ink, max(1, round(thickness)), joint="curve")

    def land(self, heights: Sequence[float], ink: Ink) -> None:
        """Everything below a line that runs through `heights` (pixels) at equal steps from left to right."""
        step = self.width / (len(heights) - 1)
        line = [(index * step, height) for index, height in enumerate(heights)]
        self.polygon([(0, self.height), *line, (self.width, self.height)], ink)

    def finished(self) -> Image.Image:
        return self.image.reduce(self.enlarged)


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws one object: (0, 0) is its middle, (±1, ±1) the corners of its square, y points down. `radius` is
    half the side of the square in pixels; `flip` mirrors it, `lean` (radians) turns it."""

    canvas: Canvas
    x: float
    y: float
    radius: float
    flip: bool = False
    lean: float = 0.0

    def at(self, x: float, y: float) -> Point:
        if self.flip:
            x = -x
        if self.lean:
            sine, cosine = math.sin(self.lean), math.cos(self.lean)
            x, y = x * cosine - y * sine, x * sine + y * cosine
        return self.x + x * self.radius, self.y + y * self.radius

    def polygon(self, points: Sequence[Point], ink: Ink) -> None:
        self.canvas.polygon([self.at(*point) for point in points], ink)

    def smooth(self, points: Sequence[Point], ink: Ink) -> None:
        """The closed curve that bends around these corners."""
        self.polygon(rounded(points), ink)

    def oval(self, x: float, y: float, rx: float, ry: float, ink: Ink, turn: float = 0.0) -> None:
        """An ellipse, turned by `turn` radians about its own middle."""
        if turn or self.lean:
            sine, cosine = math.sin(turn), math.cos(turn)
            self.polygon(
                [(x + rx * c * cosine - ry * s * sine, y + rx * c * sine + ry * s * cosine) for c, s in _CIRCLE],
                ink,
            )
            return
        centre_x, centre_y = self.at(x, y)
        self.canvas.oval(centre_x, centre_y, rx * self.radius, ry * self.radius, ink)

    def disc(self, x: float, y: float, r: float, ink: Ink) -> None:
        self.oval(x, y, r, r, ink)

    def box(self, x0: float, y0: float, x1: float, y1: float, ink: Ink) -> None:
        self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), ink)

    def line(self, points: Sequence[Point], ink: Ink, thickness: float) -> None:
        self.canvas.line([self.at(*point) for point in points], ink, thickness * self.radius)

    def ring(self, x: float, y: float, r: float, ink: Ink, thickness: float) -> None:
        centre_x, centre_y = self.at(x, y)
        outer = (r + thickness / 2) * self.radius
        box = (centre_x - outer, centre_y - outer, centre_x + outer, centre_y + outer)
        self.canvas.ink.ellipse(box, None, ink, max(1, round(thickness * self.radius)))


_CIRCLE = [(math.cos(2 * math.pi * k / 28), math.sin(2 * math.pi * k / 28)) for k in range(28)]


def rounded(points: Sequence[Point], steps: int = 7) -> list[Point]:
    """A closed quadratic B-spline: it touches the middle of every side and bends towards every corner."""
    curve: list[Point] = []
    for index, (cx, cy) in enumerate(points):
        px, py = points[index - 1]
        nx, ny = points[(index + 1) % len(points)]
        for step in range(steps):
            t = step / steps
            a, b, c = (1 - t) ** 2 / 2, 0.5 + t - t * t, t * t / 2
            curve.append((a * px + b * cx + c * nx, a * py + b * cy + c * ny))
    return curve
