"""The captions of drawn scenes in Dutch, which the shipped model never met: what an adapter is shown on."""

from random import Random

from workers.scenes.scene import Group, Scene
from workers.scenes.vocabulary import THINGS

# Singular, plural, and whether it takes "het": "een rood huis", but "een rode boot".
NAMES: dict[str, tuple[str, str, bool]] = {
    "boat": ("boot", "boten", False),
    "fish": ("vis", "vissen", False),
    "car": ("auto", "auto's", False),
    "house": ("huis", "huizen", True),
    "tree": ("boom", "bomen", False),
    "flower": ("bloem", "bloemen", False),
    "cat": ("kat", "katten", False),
    "umbrella": ("paraplu", "paraplu's", False),
    "bicycle": ("fiets", "fietsen", False),
    "lighthouse": ("vuurtoren", "vuurtorens", False),
    "mushroom": ("paddenstoel", "paddenstoelen", False),
    "balloon": ("ballon", "ballonnen", False),
    "bird": ("vogel", "vogels", False),
    "butterfly": ("vlinder", "vlinders", False),
    "kite": ("vlieger", "vliegers", False),
    "star": ("ster", "sterren", False),
}
# Bare, and inflected.
COLOURS: dict[str, tuple[str, str]] = {
    "red": ("rood", "rode"),
    "orange": ("oranje", "oranje"),
    "yellow": ("geel", "gele"),
    "green": ("groen", "groene"),
    "blue": ("blauw", "blauwe"),
    "purple": ("paars", "paarse"),
    "pink": ("roze", "roze"),
    "white": ("wit", "witte"),
}
NUMBERS = {2: "twee", 3: "drie", 4: "vier", 5: "vijf"}
# Where a thing stands, and where it flies.
PLACES: dict[str, tuple[str, str]] = {
    "sea": ("op zee", "boven zee"),
    "beach": ("op het strand", "boven het strand"),
    "city": ("in de stad", "boven de stad"),
    "meadow": ("in de wei", "boven de wei"),
    "snow": ("in de sneeuw", "boven de sneeuw"),
    "desert": ("in de woestijn", "boven de woestijn"),
    "forest": ("in het bos", "boven het bos"),
    "mountains": ("in de bergen", "boven de bergen"),
}
SKIES = {
    "day": "overdag",
    "sunset": "bij zonsondergang",
    "night": "'s nachts",
    "rain": "in de regen",
    "fog": "in de mist",
}


def dutch_caption(scene: Scene, random: Random) -> str:
    """Everything there is to see: "drie rode boten en een witte vogel op zee bij zonsondergang"."""
    groups = list(scene.groups)
    random.shuffle(groups)
    what = " en ".join(_counted(group) for group in groups)
    where = PLACES[scene.place][THINGS[groups[-1].thing].layer == "air"]
    return " ".join((what, *random.sample((where, SKIES[scene.sky]), 2)))


def _counted(group: Group) -> str:
    singular, plural, het = NAMES[group.thing]
    bare, inflected = COLOURS[group.colour]
    if group.count > 1:
        return f"{NUMBERS[group.count]} {inflected} {plural}"
    return f"een {bare if het else inflected} {singular}"
