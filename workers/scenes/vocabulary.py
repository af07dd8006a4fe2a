"""What a drawn scene can be made of, and the words people use for it. The renderer, the captions and the truth
about both read these tables, so a word that is not here is a word that the shipped model never met."""

from dataclasses import dataclass
from typing import Literal

Layer = Literal["ground", "air", "water"]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object. `layer` says where it naturally is; elsewhere the renderer gives it an island or a pond."""

    names: tuple[str, ...]
    plurals: tuple[str, ...]
    layer: Layer


@dataclass(frozen=True, slots=True)
class Place:
    """A background. `at` completes "a boat ...", `above` completes "a balloon ..."."""

    names: tuple[str, ...]
    at: tuple[str, ...]
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sky:
    """A time of day or a weather. `when` completes "a boat on the sea ..."."""

    names: tuple[str, ...]
    when: tuple[str, ...]


THINGS: dict[str, Thing] = {
    "boat": Thing(("boat", "sailing boat", "ship"), ("boats", "sailing boats", "ships"), "water"),
    "fish": Thing(("fish",), ("fish", "fishes"), "water"),
    "car": Thing(("car", "automobile"), ("cars", "automobiles"), "ground"),
    "house": Thing(("house", "home", "cottage"), ("houses", "homes", "cottages"), "ground"),
    "tree": Thing(("tree",), ("trees",), "ground"),
    "flower": Thing(("flower", "blossom"), ("flowers", "blossoms"), "ground"),
    "cat": Thing(("cat", "kitten"), ("cats", "kittens"), "ground"),
    "umbrella": Thing(("umbrella", "parasol"), ("umbrellas", "parasols"), "ground"),
    "bicycle": Thing(("bicycle", "bike"), ("bicycles", "bikes"), "ground"),
    "lighthouse": Thing(("lighthouse",), ("lighthouses",), "ground"),
    "mushroom": Thing(("mushroom", "toadstool"), ("mushrooms", "toadstools"), "ground"),
    "balloon": Thing(("balloon", "hot air balloon"), ("balloons", "hot air balloons"), "air"),
    "bird": Thing(("bird",), ("birds",), "air"),
    "butterfly": Thing(("butterfly",), ("butterflies",), "air"),
    "kite": Thing(("kite",), ("kites",), "air"),
    "star": Thing(("star",), ("stars",), "air"),
}

PLACES: dict[str, Place] = {
    "sea": Place(
        ("the sea", "sea", "the ocean", "open water", "waves"),
        ("on the sea", "at sea", "on the ocean", "on the water"),
        ("over the sea", "above the ocean", "above the water"),
    ),
    "beach": Place(
        ("a beach", "the beach", "a sandy beach", "the coast", "the shore"),
        ("on the beach", "at the beach", "on the shore"),
        ("over the beach", "above the coast"),
    ),
    "city": Place(
        ("a city", "city", "a town", "skyscrapers", "a skyline", "buildings"),
        ("in the city", "in town", "in front of the skyline", "in the street"),
        ("over the city", "above the town", "above the skyscrapers"),
    ),
    "meadow": Place(
        ("a meadow", "a field", "grass", "green hills", "a green meadow"),
        ("in a meadow", "on the grass", "in a field"),
        ("over a meadow", "above the fields"),
    ),
    "snow": Place(
        ("snow", "winter", "a snowy landscape", "a winter landscape", "snowy hills"),
        ("in the snow", "in winter", "on snow"),
        ("over the snow", "above a winter landscape"),
    ),
    "desert": Place(
        ("a desert", "desert", "sand dunes", "dunes"),
        ("in the desert", "among the dunes", "on the sand dunes"),
        ("over the desert", "above the dunes"),
    ),
    "forest": Place(
        ("a forest", "the woods", "forest", "a wood"),
        ("in the forest", "in the woods", "in front of the forest"),
        ("over the forest", "above the woods"),
    ),
    "mountains": Place(
        ("mountains", "the mountains", "a mountain", "mountain peaks", "the alps"),
        ("in the mountains", "in front of the mountains"),
        ("over the mountains", "above the peaks"),
    ),
}

SKIES: dict[str, Sky] = {
    "day": Sky(
        ("a sunny day", "blue sky", "sunshine", "daytime"),
        ("by day", "on a sunny day", "under a blue sky", "in the sunshine"),
    ),
    "sunset": Sky(
        ("sunset", "a sunset", "dusk", "evening"),
        ("at sunset", "in the evening", "at dusk", "under an orange sky"),
    ),
    "night": Sky(
        ("night", "a starry night", "moonlight", "the moon"),
        ("at night", "under the stars", "in the moonlight", "in the dark"),
    ),
    "rain": Sky(
        ("rain", "a rainy day", "bad weather", "rain clouds"),
        ("in the rain", "on a rainy day", "under rain clouds"),
    ),
    "fog": Sky(
        ("fog", "mist", "a foggy morning", "a misty day"),
        ("in the fog", "on a foggy morning", "in the mist"),
    ),
}

COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "orange": ("orange",),
    "yellow": ("yellow",),
    "green": ("green",),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "pink": ("pink",),
    "white": ("white",),
}

COUNTS: dict[int, tuple[str, ...]] = {2: ("two", "2"), 3: ("three", "3"), 4: ("four", "4"), 5: ("five", "5")}

# A forest is full of trees, a night sky full of stars: whoever only writes "trees" or "stars" may mean those.
IMPLIED_BY_PLACE = {"forest": "tree"}
IMPLIED_BY_SKY = {"night": "star"}
