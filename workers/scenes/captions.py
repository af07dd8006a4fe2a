"""What people might write about a scene, and which scenes a caption is true of."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from workers.scenes.scene import Group, Scene
from workers.scenes.vocabulary import (
    COLOURS,
    COUNTS,
    IMPLIED_BY_PLACE,
    IMPLIED_BY_SKY,
    PLACES,
    SKIES,
    THINGS,
)

OPENINGS = ("a picture of", "a photo of", "a drawing of", "show me")


@dataclass(frozen=True, slots=True)
class ThingTerm:
    """A thing that a caption asks for; None leaves a property open. `count` is exact: "a red boat" in a query
    leaves it open (three red boats also show a red boat), "three boats" does not."""

    thing: str | None = None
    colour: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    things: tuple[ThingTerm, ...] = ()
    place: str | None = None
    sky: str | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    text: str
    terms: Terms


def matches(scene: Scene, terms: Terms) -> bool:
    """Whether everything that the terms ask for is in the scene."""
    if terms.place not in (None, scene.place) or terms.sky not in (None, scene.sky):
        return False
    return all(_shows(scene, term) for term in terms.things)


def _shows(scene: Scene, term: ThingTerm) -> bool:
    bare = term.colour is None and term.count is None
    if bare and term.thing in (IMPLIED_BY_PLACE.get(scene.place), IMPLIED_BY_SKY.get(scene.sky)) and term.thing:
        return True
    return any(
        term.thing in (None, group.thing) and term.colour in (None, group.colour) and term.count in (None, group.count)
        for group in scene.groups
    )


def full_caption(scene: Scene, random: Random) -> Caption:
    """A caption that names everything: every group with colour and number, the place and the sky."""
    groups = list(scene.groups)
    random.shuffle(groups)
    what = " and ".join(_counted(group, random) for group in groups)
    in_air = THINGS[groups[-1].thing].layer == "air"
    place, sky = PLACES[scene.place], SKIES[scene.sky]
    where = random.choice(place.above if in_air and random.random() < 0.7 else place.at)
    when = random.choice(sky.when)
    text = random.choice(
        (
            f"{what} {where} {when}",
            f"{what} {where} {when}",
            f"{what} {when} {where}",
            f"{when} {what} {where}",
            f"{when}, {where}: {what}",
            f"a picture of {what} {where} {when}",
            f"{what}, {random.choice(place.names)}, {random.choice(sky.names)}",
            f"{random.choice(place.names)} {when} with {what}",
        )
    )
    things = tuple(ThingTerm(group.thing, group.colour, group.count) for group in scene.groups)
    return Caption(text, Terms(things, scene.place, scene.sky))


def short_caption(scene: Scene, random: Random) -> Caption:
    """A caption such as people type into a search box: one or two facts of the scene, none of them wrong."""
    make = random.choices(list(SHORT_KINDS), weights=list(SHORT_KINDS.values()))[0]
    caption = make(scene, random)
    if random.random() < 0.08:
        return Caption(f"{random.choice(OPENINGS)} {caption.text}", caption.terms)
    return caption


def short_queries() -> Iterator[Caption]:
    """Every short query of the evaluation, in its plainest words."""
    for thing, words in THINGS.items():
        name, plural = words.names[0], words.plurals[0]
        yield Caption(_with_article(name), Terms((ThingTerm(thing),)))
        for colour in COLOURS:
            yield Caption(_with_article(f"{colour} {name}"), Terms((ThingTerm(thing, colour),)))
        for count, numbers in COUNTS.items():
            yield Caption(f"{numbers[0]} {plural}", Terms((ThingTerm(thing, None, count),)))
        for place in PLACES:
            where = PLACES[place].above[0] if words.layer == "air" else PLACES[place].at[0]
            yield Caption(f"{_with_article(name)} {where}", Terms((ThingTerm(thing),), place))
    for place, place_words in PLACES.items():
        yield Caption(place_words.names[0], Terms(place=place))
        for sky, sky_words in SKIES.items():
            yield Caption(f"{place_words.names[0]} {sky_words.when[0]}", Terms(place=place, sky=sky))
    for sky, sky_words in SKIES.items():
        yield Caption(sky_words.names[0], Terms(sky=sky))


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _counted(group: Group, random: Random) -> str:
    """The group in words that say how many."""
    thing = THINGS[group.thing]
    colour = random.choice(COLOURS[group.colour])
    if group.count > 1:
        return f"{random.choice(COUNTS[group.count])} {colour} {random.choice(thing.plurals)}"
    name = f"{colour} {random.choice(thing.names)}"
    return random.choice((_with_article(name), _with_article(name), f"one {name}"))


def _loosely(thing: str, colour: str | None, random: Random) -> str:
    """The thing in words that leave open how many: with an article, bare, or in the plural."""
    words = THINGS[thing]
    tint = f"{random.choice(COLOURS[colour])} " if colour else ""
    name = tint + random.choice(words.names)
    return random.choice((_with_article(name), name, tint + random.choice(words.plurals)))


def _thing(scene: Scene, random: Random) -> Caption:
    group = random.choice(scene.groups)
    return Caption(_loosely(group.thing, None, random), Terms((ThingTerm(group.thing),)))


def _coloured_thing(scene: Scene, random: Random) -> Caption:
    group = random.choice(scene.groups)
    text = _loosely(group.thing, group.colour, random)
    return Caption(text, Terms((ThingTerm(group.thing, group.colour),)))


def _counted_thing(scene: Scene, random: Random) -> Caption:
    group = random.choice(scene.groups)
    words = THINGS[group.thing]
    with_colour = random.random() < 0.4
    tint = f"{random.choice(COLOURS[group.colour])} " if with_colour else ""
    if group.count == 1:
        text = f"{random.choice(('one', 'a single'))} {tint}{random.choice(words.names)}"
    else:
        text = f"{random.choice(COUNTS[group.count])} {tint}{random.choice(words.plurals)}"
    return Caption(text, Terms((ThingTerm(group.thing, group.colour if with_colour else None, group.count),)))


def _two_things(scene: Scene, random: Random) -> Caption:
    if len(scene.groups) == 1:
        return _coloured_thing(scene, random)
    groups = random.sample(scene.groups, 2)
    coloured = [(group.thing, group.colour if random.random() < 0.4 else None) for group in groups]
    text = random.choice((" and ", " with ", " ")).join(_loosely(*pair, random) for pair in coloured)
    return Caption(text, Terms(tuple(ThingTerm(*pair) for pair in coloured)))


def _thing_somewhere(scene: Scene, random: Random) -> Caption:
    group = random.choice(scene.groups)
    colour = group.colour if random.random() < 0.4 else None
    place = PLACES[scene.place]
    above = THINGS[group.thing].layer == "air" and random.random() < 0.7
    where = random.choice(place.above if above else place.at)
    if random.random() < 0.2:
        where = random.choice(place.names)
    text = f"{_loosely(group.thing, colour, random)} {where}"
    return Caption(text, Terms((ThingTerm(group.thing, colour),), place=scene.place))


def _thing_sometime(scene: Scene, random: Random) -> Caption:
    group = random.choice(scene.groups)
    colour = group.colour if random.random() < 0.4 else None
    sky = SKIES[scene.sky]
    when = random.choice(sky.when if random.random() < 0.8 else sky.names)
    text = f"{_loosely(group.thing, colour, random)} {when}"
    return Caption(text, Terms((ThingTerm(group.thing, colour),), sky=scene.sky))


def _place(scene: Scene, random: Random) -> Caption:
    return Caption(random.choice(PLACES[scene.place].names), Terms(place=scene.place))


def _sky(scene: Scene, random: Random) -> Caption:
    return Caption(random.choice(SKIES[scene.sky].names), Terms(sky=scene.sky))


def _place_and_sky(scene: Scene, random: Random) -> Caption:
    place, sky = random.choice(PLACES[scene.place].names), SKIES[scene.sky]
    text = random.choice(
        (
            f"{place} {random.choice(sky.when)}",
            f"{random.choice(sky.names)} {random.choice(PLACES[scene.place].at)}",
        )
    )
    return Caption(text, Terms(place=scene.place, sky=scene.sky))


def _colour(scene: Scene, random: Random) -> Caption:
    colour = random.choice(scene.groups).colour
    word = random.choice(COLOURS[colour])
    return Caption(random.choice((f"something {word}", word)), Terms((ThingTerm(None, colour),)))


SHORT_KINDS = {
    _coloured_thing: 28,
    _counted_thing: 24,
    _thing: 12,
    _thing_somewhere: 12,
    _thing_sometime: 8,
    _two_things: 6,
    _place_and_sky: 5,
    _place: 3,
    _sky: 3,
    _colour: 2,
}
