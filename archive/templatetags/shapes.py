"""How numbers of an asset become something to look at."""

from bisect import bisect_left

from django import template

from archive.models import Asset
from archive.sniff import KINDS

register = template.Library()

# Width by height in hundredths, as templates/static/css/shapes.css has them: in steps of 2.5 %, and those of cameras.
SHAPES = (
    *(
        40,
        41,
        42,
        43,
        44,
        45,
        46,
        48,
        49,
        50,
        51,
        52,
        54,
        55,
        56,
        57,
        58,
        59,
        61,
        62,
        64,
        66,
        67,
        69,
        71,
        72,
        74,
    ),
    *(
        75,
        76,
        78,
        80,
        82,
        84,
        86,
        88,
        90,
        93,
        95,
        97,
        100,
        102,
        105,
        107,
        110,
        113,
        116,
        119,
        122,
        125,
        128,
        131,
    ),
    *(
        133,
        134,
        137,
        141,
        144,
        148,
        150,
        152,
        156,
        159,
        163,
        168,
        172,
        176,
        178,
        180,
        185,
        190,
        194,
        199,
        200,
        204,
    ),
    *(209, 214, 220, 225, 231, 237, 243, 249, 255, 261, 268, 274, 281, 288, 296, 300),
)
# Proportions for places where a picture will be, as a row of real ones would have them.
BONES = tuple(f"r-{n}" for n in (150, 133, 75, 178, 100, 150, 67, 159, 133, 150, 80, 178, 150, 100, 133, 75, 150, 178))


@register.filter
def shape(asset: Asset) -> str:
    """The class that carries a picture's proportion; extremes are cut to 0.4 and 3."""
    wanted = asset.ratio * 100
    above = bisect_left(SHAPES, wanted)
    nearest = min(SHAPES[max(above - 1, 0) : above + 1], key=lambda n: abs(n - wanted))
    return f"r-{nearest}"


@register.filter
def format_name(asset: Asset) -> str:
    """JPEG, not image/jpeg."""
    known = KINDS.get(asset.media_type)
    return known.label if known else asset.media_type


@register.filter
def second(seconds: float | None) -> str:
    """For an address: whatever the language, with a point."""
    return f"{seconds or 0:.2f}".rstrip("0").rstrip(".")


@register.filter
def clock(seconds: float | None) -> str:
    """Seconds as 0:42 or 1:02:09."""
    whole = int(seconds or 0)
    hours, rest = divmod(whole, 3600)
    minutes = f"{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{hours}:{minutes}:{rest % 60:02d}" if hours else f"{minutes}:{rest % 60:02d}"
