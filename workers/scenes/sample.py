"""The sample archive of the demo: drawn scenes in four themed folders, saved the way cameras save."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from PIL import Image

from workers.scenes.drawing import draw
from workers.scenes.scene import Group, Scene, place_scene
from workers.scenes.vocabulary import COLOURS

SIZES = ((1200, 800), (1200, 800), (1152, 864), (1280, 768), (800, 1200), (900, 900), (864, 1152))
CAMERAS = (("Papercraft", "One"), ("Papercraft", "Two"), ("Lumen", "Field 35"))
# Left out of the sample, where they look like a mistake; the model is trained on them all the same.
HARD_TO_SEE = {("fog", "white")}
FIRST_DAY = datetime(2019, 3, 2)
DAYS = 2400
HOURS = {"day": (9, 16), "sunset": (18, 20), "night": (21, 23), "rain": (8, 18), "fog": (6, 9)}

EXIF_MAKE, EXIF_MODEL, EXIF_IFD, EXIF_GPS = 0x010F, 0x0110, 0x8769, 0x8825
EXIF_TAKEN, EXIF_OFFSET = 0x9003, 0x9011
GPS_LATITUDE_REF, GPS_LATITUDE, GPS_LONGITUDE_REF, GPS_LONGITUDE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Theme:
    """One folder: what its scenes may show, and about where (latitude, longitude) they were "taken"."""

    folder: str
    places: tuple[str, ...]
    skies: tuple[str, ...]
    things: tuple[str, ...]
    near: tuple[float, float]


THEMES = (
    Theme(
        "harbour",
        ("sea", "sea", "beach"),
        ("day", "day", "sunset", "night", "rain", "fog"),
        ("boat", "boat", "boat", "fish", "lighthouse", "bird", "kite", "umbrella", "balloon"),
        (54.32, 10.14),
    ),
    Theme(
        "city-nights",
        ("city",),
        ("night", "night", "sunset", "rain", "fog"),
        ("car", "car", "bicycle", "umbrella", "cat", "balloon", "star", "house"),
        (52.37, 4.9),
    ),
    Theme(
        "meadows",
        ("meadow", "meadow", "forest", "mountains", "desert"),
        ("day", "day", "sunset", "fog", "rain"),
        ("flower", "tree", "butterfly", "mushroom", "kite", "balloon", "cat", "bicycle", "bird", "house"),
        (47.05, 8.31),
    ),
    Theme(
        "winter",
        ("snow", "snow", "mountains"),
        ("day", "sunset", "night", "fog"),
        ("house", "tree", "bird", "cat", "star", "balloon", "car", "kite"),
        (61.11, 10.46),
    ),
)


def write_sample(folder: Path, *, count: int, seed: int) -> Iterator[Path]:
    """Writes `count` JPEG pictures into sub-folders of `folder`, in turn, and yields each path when it is
    there. The same seed gives the same pictures."""
    random = Random(seed)
    for index in range(count):
        theme = THEMES[index % len(THEMES)]
        path = folder / theme.folder / f"{theme.folder}-{index // len(THEMES) + 1:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        scene = themed_scene(theme, random)
        picture = draw(scene, *random.choice(SIZES))
        picture.save(path, "JPEG", quality=90, exif=_exif(theme, scene, random))
        yield path


def themed_scene(theme: Theme, random: Random) -> Scene:
    """A scene of the theme: what people would expect there, in one group or two."""
    place, sky = random.choice(theme.places), random.choice(theme.skies)
    colours = [colour for colour in COLOURS if (sky, colour) not in HARD_TO_SEE]
    first = random.choice(theme.things)
    groups = [Group(first, random.choice(colours), random.choice((1, 1, 1, 2, 3, 4, 5)))]
    if random.random() < 0.4:
        second = random.choice([thing for thing in theme.things if thing != first])
        groups.append(Group(second, random.choice(colours), random.choice((1, 1, 2))))
    return place_scene(random, place, sky, tuple(groups))


def _exif(theme: Theme, scene: Scene, random: Random) -> Image.Exif:
    """A date with an offset for all, a camera for most, a place for half of them."""
    exif = Image.Exif()
    first, last = HOURS[scene.sky]
    taken = FIRST_DAY + timedelta(
        days=random.randrange(DAYS), hours=random.randint(first, last), minutes=random.randrange(60)
    )
    exif.get_ifd(EXIF_IFD).update({EXIF_TAKEN: f"{taken:%Y:%m:%d %H:%M:%S}", EXIF_OFFSET: "+01:00"})
    if random.random() < 0.7:
        exif[EXIF_MAKE], exif[EXIF_MODEL] = random.choice(CAMERAS)
    if random.random() < 0.5:
        latitude, longitude = (degrees + random.uniform(-0.05, 0.05) for degrees in theme.near)
        exif.get_ifd(EXIF_GPS).update(
            {
                GPS_LATITUDE_REF: "N",
                GPS_LATITUDE: _sexagesimal(latitude),
                GPS_LONGITUDE_REF: "E",
                GPS_LONGITUDE: _sexagesimal(longitude),
            }
        )
    return exif


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes % 1) * 60, 2)
