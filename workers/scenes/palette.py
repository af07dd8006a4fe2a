"""Colours of drawn scenes: of objects, of skies, and how the hour tints everything else."""

from dataclasses import dataclass

RGB = tuple[int, int, int]
RGBA = tuple[int, int, int, int]
Ink = RGB | RGBA

WHITE: RGB = (252, 250, 245)
DARK: RGB = (44, 46, 58)
WOOD: RGB = (124, 84, 56)
LAMP: RGB = (255, 214, 120)

OBJECT_COLOURS: dict[str, RGB] = {
    "red": (214, 50, 44),
    "orange": (243, 134, 30),
    "yellow": (250, 210, 62),
    "green": (44, 152, 76),
    "blue": (38, 98, 206),
    "purple": (122, 66, 178),
    "pink": (244, 130, 176),
    "white": (247, 246, 242),
}


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`a` with `share` (0 to 1) of `b` in it."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def fade(colour: RGB, opacity: float) -> RGBA:
    return (*colour, round(255 * opacity))


@dataclass(frozen=True, slots=True)
class Tint:
    """The three tones of a coloured thing."""

    base: RGB
    shade: RGB
    light: RGB


@dataclass(frozen=True, slots=True)
class Mood:
    """How an hour or a weather looks. `sky` runs from the zenith to the horizon; the land takes `veil_share` of
    `veil`, objects only `object_share`, so that their colour can still be named."""

    sky: tuple[RGB, ...]
    veil: RGB
    veil_share: float
    object_share: float
    lamps: bool

    def land(self, colour: RGB, distance: float = 0.0) -> RGB:
        haze = mix(colour, self.sky[-1], 0.55 * distance)
        return mix(haze, self.veil, self.veil_share)

    def tint(self, colour: str) -> Tint:
        base = mix(OBJECT_COLOURS[colour], self.veil, self.object_share)
        depth = 0.16 if colour == "white" else 0.24
        return Tint(base, mix(base, (30, 24, 62), depth), mix(base, (255, 252, 240), 0.34))

    def object(self, colour: RGB) -> RGB:
        return mix(colour, self.veil, self.object_share)


MOODS: dict[str, Mood] = {
    "day": Mood(((82, 164, 226), (142, 202, 238), (226, 241, 243)), (255, 250, 235), 0.04, 0.0, False),
    "sunset": Mood(((74, 62, 122), (182, 84, 122), (244, 136, 92), (255, 206, 124)), (150, 62, 84), 0.3, 0.04, True),
    "night": Mood(((10, 16, 46), (22, 34, 82), (52, 70, 122)), (14, 22, 62), 0.56, 0.13, True),
    "rain": Mood(((88, 100, 116), (124, 136, 150), (164, 174, 182)), (84, 98, 116), 0.38, 0.06, True),
    "fog": Mood(((192, 200, 204), (214, 219, 220), (232, 233, 230)), (222, 226, 226), 0.52, 0.07, False),
}
