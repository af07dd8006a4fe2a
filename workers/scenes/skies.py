"""What is above the horizon: gradients, sun and moon, clouds, stars, rain and mist."""

from random import Random

from workers.scenes.canvas import Canvas
from workers.scenes.palette import MOODS, RGB, WHITE, fade, mix

GLOW_RINGS = 16


def draw_sky(canvas: Canvas, sky: str, horizon: float, random: Random) -> float:
    """Paints the sky down to the horizon and returns where the light stands (share of the width)."""
    mood = MOODS[sky]
    canvas.gradient(mood.sky, 0.0, horizon + 0.04)
    canvas.rectangle(0, canvas.height * (horizon + 0.04), canvas.width, canvas.height, mood.sky[-1])
    light = random.uniform(0.14, 0.86)
    _SKIES[sky](canvas, horizon, light, random)
    return light


def draw_weather(canvas: Canvas, sky: str, random: Random) -> None:
    """What falls or drifts in front of the land, but behind the objects."""
    if sky == "rain":
        _rain(canvas, random)
    elif sky == "fog":
        _mist(canvas, random)


def _glow(canvas: Canvas, x: float, y: float, radius: float, colour: RGB, strength: float) -> None:
    for ring in range(GLOW_RINGS, 0, -1):
        reach = radius * ring / GLOW_RINGS
        canvas.oval(x, y, reach, reach, fade(colour, strength / GLOW_RINGS))


def _day(canvas: Canvas, horizon: float, light: float, random: Random) -> None:
    x, y, size = light * canvas.width, canvas.height * random.uniform(0.1, 0.24), canvas.unit * 0.06
    _glow(canvas, x, y, size * 3.4, (255, 246, 200), 0.55)
    canvas.oval(x, y, size, size, (255, 232, 140))
    for _ in range(random.randint(2, 4)):
        _cloud(canvas, horizon, (255, 255, 255), 0.85, random)


def _sunset(canvas: Canvas, horizon: float, light: float, random: Random) -> None:
    x, y = light * canvas.width, canvas.height * (horizon - random.uniform(0.03, 0.1))
    size = canvas.unit * 0.1
    _glow(canvas, x, y, size * 3.6, (255, 214, 130), 0.7)
    canvas.oval(x, y, size, size, (255, 236, 170))
    for _ in range(random.randint(3, 5)):
        y = canvas.height * horizon * random.uniform(0.2, 0.8)
        middle, half = canvas.width * random.random(), canvas.width * random.uniform(0.1, 0.26)
        canvas.oval(middle, y, half, canvas.unit * 0.011, fade((255, 190, 150), 0.5))
        canvas.oval(middle + half * 0.4, y + canvas.unit * 0.016, half * 0.7, canvas.unit * 0.008, fade(WHITE, 0.22))


def _night(canvas: Canvas, horizon: float, light: float, random: Random) -> None:
    for _ in range(70):
        x, y = random.random() * canvas.width, random.random() ** 1.3 * horizon * canvas.height
        size = canvas.unit * random.choice((0.0016, 0.002, 0.0034))
        canvas.oval(x, y, size, size, fade((255, 250, 225), random.uniform(0.5, 1.0)))
    x, y, size = light * canvas.width, canvas.height * random.uniform(0.1, 0.22), canvas.unit * 0.062
    _glow(canvas, x, y, size * 3.2, (190, 204, 250), 0.4)
    canvas.oval(x, y, size, size, (250, 243, 214))
    for across, down, share in ((-0.35, -0.2, 0.22), (0.25, 0.3, 0.28), (0.35, -0.35, 0.14)):
        canvas.oval(x + across * size, y + down * size, size * share, size * share, (232, 222, 190))


def _rain_clouds(canvas: Canvas, horizon: float, light: float, random: Random) -> None:
    for index in range(9):
        x = canvas.width * (index + random.uniform(-0.4, 1.0)) / 8
        y = canvas.height * random.uniform(-0.02, 0.09)
        rx, grey = canvas.width * random.uniform(0.1, 0.18), random.randint(58, 88)
        canvas.oval(x, y, rx, canvas.height * random.uniform(0.06, 0.1), (grey, grey + 8, grey + 18))


def _hazy_sun(canvas: Canvas, horizon: float, light: float, random: Random) -> None:
    x, y = light * canvas.width, canvas.height * random.uniform(0.14, 0.3)
    _glow(canvas, x, y, canvas.unit * 0.22, (255, 253, 244), 0.6)


def _cloud(canvas: Canvas, horizon: float, colour: RGB, opacity: float, random: Random) -> None:
    x, y = random.random() * canvas.width, canvas.height * horizon * random.uniform(0.1, 0.62)
    size = canvas.unit * random.uniform(0.03, 0.055)
    base = y + size
    for step in range(-2, 3):
        puff = size * (1.25 - 0.28 * abs(step)) * random.uniform(0.85, 1.15)
        canvas.oval(x + step * size * 1.05, base - puff, puff, puff, mix(colour, MOODS["day"].sky[1], 1 - opacity))
    span = size * 3.0
    canvas.ink.rounded_rectangle(
        (x - span, base - size * 0.8, x + span, base),
        size * 0.4,
        mix(colour, MOODS["day"].sky[1], 1 - opacity),
    )


def _rain(canvas: Canvas, random: Random) -> None:
    drop = fade((222, 232, 242), 0.5)
    for _ in range(150):
        x, y = random.random() * canvas.width * 1.1, random.random() * canvas.height
        length = canvas.unit * random.uniform(0.035, 0.07)
        canvas.line(((x, y), (x - length * 0.3, y + length)), drop, canvas.unit * 0.005)


def _mist(canvas: Canvas, random: Random) -> None:
    for _ in range(7):
        x, y = random.random() * canvas.width, canvas.height * random.uniform(0.42, 0.8)
        rx, ry = canvas.width * random.uniform(0.3, 0.5), canvas.unit * random.uniform(0.012, 0.03)
        for part in (1.0, 0.8, 0.6):
            canvas.oval(x, y, rx * part, ry * part, fade((246, 247, 246), 0.2))


_SKIES = {"day": _day, "sunset": _sunset, "night": _night, "rain": _rain_clouds, "fog": _hazy_sun}
