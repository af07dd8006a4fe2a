"""What comes out of the decoder looks like what went in, whatever kind of file it was."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from archive.decoder.decoded import Decoded
from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import ALL_SPECS, ENCODER, PREVIEW, THUMBNAIL
from archive.sniff import PICTURES, sniff
from tests import pictures

SAME = 2.5
"""Mean difference, of 255, that the last JPEG compression may make."""

# An AVIF has no place for a number that is no orientation.
TURNED = [
    (kind, orientation)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
    for orientation in (1, 2, 3, 4, 5, 6, 7, 8, 99)
    if (kind, orientation) != ("AVIF", 99)
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def shown(decoded: Decoded, name: str = "encoder") -> Image.Image:
    return Image.open(BytesIO(decoded.renditions[name].data))


def difference(decoded: Decoded, expected: Image.Image, name: str = "encoder") -> float:
    picture = shown(decoded, name)
    assert picture.mode == "RGB"
    assert picture.size == expected.size
    return sum(ImageStat.Stat(ImageChops.difference(picture, expected.convert("RGB"))).mean) / 3


@pytest.mark.parametrize("media_type", [kind for kind in PICTURES if kind != "image/heic"])
def test_every_kind_shows_the_same_picture(sandbox: Sandbox, media_type: str) -> None:
    decoded = sandbox.decode(pictures.EVERY_KIND[media_type]())
    assert (decoded.media_type, decoded.format) == (media_type, PICTURES[media_type].label)
    assert (decoded.width, decoded.height) == pictures.SIZE
    assert difference(decoded, pictures.reference()) < SAME
    assert decoded.notes == ()


def test_a_heic_is_turned_once_and_not_twice(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.heic())
    assert (decoded.media_type, decoded.width, decoded.height) == ("image/heic", 240, 320)
    assert difference(decoded, pictures.reference().transpose(Image.Transpose.ROTATE_270)) < 2 * SAME
    assert decoded.camera == "Apple iPhone 15"


@pytest.mark.parametrize(("kind", "orientation"), TURNED)
def test_pictures_stand_upright(sandbox: Sandbox, kind: str, orientation: int) -> None:
    lossless = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    stored = pictures.stored_as(orientation)
    data = pictures.save(stored, kind, exif=pictures.orientation_exif(orientation), **lossless)
    decoded = sandbox.decode(data)
    assert (decoded.width, decoded.height) == pictures.SIZE
    assert difference(decoded, pictures.reference()) < SAME


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_a_turned_tiff_stands_upright_in_every_compression(sandbox: Sandbox, compression: str) -> None:
    stored = pictures.stored_as(6)
    data = pictures.tiff(stored, exif=pictures.orientation_exif(6), compression=compression)
    assert difference(sandbox.decode(data), pictures.reference()) < SAME


def test_16_bit_grey_keeps_its_greys(sandbox: Sandbox) -> None:
    picture = shown(sandbox.decode(pictures.grey_16_png()))
    bars = [picture.getpixel((x, 120)) for x in (40, 120, 200, 280)]
    for bar, expected in zip(bars, (0, 64, 128, 255), strict=True):
        assert bar == pytest.approx((expected,) * 3, abs=3)


def test_a_12_bit_sensor_in_a_16_bit_file_is_not_black(sandbox: Sandbox) -> None:
    picture = shown(sandbox.decode(pictures.grey_16_png((0, 1024, 2048, 4095))))
    assert picture.getpixel((280, 120)) == pytest.approx((255, 255, 255), abs=3)
    assert picture.getpixel((120, 120)) == pytest.approx((64, 64, 64), abs=3)


@pytest.mark.parametrize(("mode", "order"), [("I;16", "<"), ("I;16B", ">"), ("I", "=")])
def test_deep_tiffs_keep_their_greys(sandbox: Sandbox, mode: str, order: str) -> None:
    grey = pictures.reference().convert("L")
    values = [value * 257 for value in grey.tobytes()]
    data = struct.pack(f"{order}{len(values)}{'I' if mode == 'I' else 'H'}", *values)
    assert difference(sandbox.decode(pictures.tiff(Image.frombytes(mode, pictures.SIZE, data))), grey) < SAME


def test_a_deep_tiff_whose_zero_is_white_is_not_a_negative(sandbox: Sandbox) -> None:
    grey = pictures.reference().convert("L")
    data = struct.pack(f"<{len(grey.tobytes())}H", *((255 - value) * 257 for value in grey.tobytes()))
    tiff = pictures.tiff(Image.frombytes("I;16", pictures.SIZE, data))
    # The entry of the photometric interpretation: tag 262, a short, one of them, 1 = black is zero.
    entry = struct.pack("<HHII", 262, 3, 1, 1)
    assert entry in tiff
    inverted = tiff.replace(entry, struct.pack("<HHII", 262, 3, 1, 0))
    assert difference(sandbox.decode(inverted), grey) < SAME


def test_48_bit_colour_is_read_as_its_8_bit_twin(sandbox: Sandbox) -> None:
    assert difference(sandbox.decode(pictures.rgb_16_png()), pictures.reference()) < SAME


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (-5, 9000)])
def test_float_pictures_are_scaled_to_their_range(sandbox: Sandbox, low: float, high: float) -> None:
    picture = shown(sandbox.decode(pictures.float_tiff(low, high)))
    for x in (0, 80, 160, 240, 319):
        assert picture.getpixel((x, 100)) == pytest.approx((x * 255 / 319,) * 3, abs=3)


def test_a_float_picture_with_infinities_still_shows(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.float_tiff(0, float("inf")))
    assert any("not numbers" in note for note in decoded.notes)


def test_cmyk_without_a_profile_has_its_colours(sandbox: Sandbox) -> None:
    assert difference(sandbox.decode(pictures.cmyk_jpeg()), pictures.reference()) < SAME


def test_cmyk_is_read_by_its_profile(sandbox: Sandbox) -> None:
    pure = pictures.distinct(0)
    pure = Image.merge("RGB", [band.point(lambda value: 255 if value > 127 else 0) for band in pure.split()])
    decoded = sandbox.decode(pictures.cmyk_jpeg(pure, pictures.cmyk_profile()))
    assert decoded.notes == ()
    assert difference(decoded, pure) < 2 * SAME


@pytest.mark.parametrize("mode", ["L", "1", "P", "LAB"])
def test_other_modes_show_the_same_picture(sandbox: Sandbox, mode: str) -> None:
    from_lab = Image.new("LAB", pictures.SIZE, (255, 128, 128))
    picture = from_lab if mode == "LAB" else pictures.reference().convert(mode)
    expected = Image.new("RGB", pictures.SIZE, "white") if mode == "LAB" else picture.convert("RGB")
    assert difference(sandbox.decode(pictures.tiff(picture)), expected) < 2 * SAME


def test_transparent_palette_entries_become_white(sandbox: Sandbox) -> None:
    expected = pictures.reference()
    expected.paste("white", (160, 120, 320, 240))
    assert difference(sandbox.decode(pictures.palette_with_alpha()), expected) < SAME


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_lies_on_white(sandbox: Sandbox, mode: str) -> None:
    expected = pictures.reference().convert(mode[:-1]).convert("RGB")
    expected.paste("white", (160, 0, 320, 240))
    assert difference(sandbox.decode(pictures.half_clear_png(mode)), expected) < SAME


def test_a_wide_gamut_becomes_srgb(sandbox: Sandbox) -> None:
    data = pictures.wide_gamut_jpeg()
    assert difference(sandbox.decode(data), pictures.reference()) < SAME
    unread = Image.open(BytesIO(data)).convert("RGB")
    change = ImageStat.Stat(ImageChops.difference(unread, pictures.reference())).mean
    assert max(change) > 3 * SAME, "the profile must matter, or this test shows nothing"


@pytest.mark.parametrize("profile", [b"nonsense" * 40, pictures.wide_gamut_profile()[:200], pictures.cmyk_profile()])
def test_a_useless_profile_is_ignored_with_a_note(sandbox: Sandbox, profile: bytes) -> None:
    decoded = sandbox.decode(pictures.jpeg(icc_profile=profile))
    assert difference(decoded, pictures.reference()) < SAME
    assert any("colour profile was ignored" in note for note in decoded.notes)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_picture_counts(sandbox: Sandbox, kind: str) -> None:
    assert difference(sandbox.decode(pictures.animated(kind)), pictures.reference()) < SAME


def test_a_telephones_double_picture_is_its_first(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.multi_picture_jpeg())
    assert decoded.format == "JPEG"
    assert difference(decoded, pictures.reference()) < SAME


@pytest.mark.parametrize("make", [pictures.jpeg_and_html, pictures.jpeg_and_zip, pictures.gif_and_script])
def test_nothing_of_a_polyglot_reaches_its_renditions(sandbox: Sandbox, make: Callable[[], bytes]) -> None:
    for rendition in sandbox.decode(make()).renditions.values():
        assert sniff(rendition.data) == rendition.media_type
        assert not any(word in rendition.data for word in (b"script", b"alert", b"PK\3\4", b"PK\5\6"))


def test_renditions_have_the_promised_sizes(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.png(pictures.distinct(1, (3000, 2000))))
    sizes = {name: (made.width, made.height) for name, made in decoded.renditions.items()}
    assert sizes == {"thumbnail": (640, 427), "preview": (2048, 1365), "encoder": (768, 512)}
    assert [shown(decoded, name).size for name in sizes] == list(sizes.values())
    assert (decoded.width, decoded.height) == (3000, 2000)


def test_small_pictures_are_not_enlarged(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.png(pictures.reference((30, 20))))
    assert {(made.width, made.height) for made in decoded.renditions.values()} == {(30, 20)}


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 3), (16000, 700)])
def test_extreme_shapes_have_renditions(sandbox: Sandbox, size: tuple[int, int]) -> None:
    decoded = sandbox.decode(pictures.png(pictures.reference(size) if min(size) > 1 else Image.new("RGB", size)))
    assert (decoded.width, decoded.height) == size
    assert all(max(shown(decoded, spec.name).size) <= spec.longest for spec in ALL_SPECS)


def test_a_large_jpeg_is_read_at_a_half_and_looks_the_same(sandbox: Sandbox) -> None:
    original = pictures.photo()
    decoded = sandbox.decode(pictures.jpeg(original))
    assert (decoded.width, decoded.height) == original.size
    preview = decoded.renditions["preview"]
    assert (preview.width, preview.height) == (2016, 1512)
    expected = original.resize((683, 512), Image.Resampling.LANCZOS)
    assert difference(decoded, expected) < SAME


def test_a_large_jpeg_on_its_side_has_upright_sizes(sandbox: Sandbox) -> None:
    stored = pictures.distinct(2, (4000, 3000))
    decoded = sandbox.decode(pictures.jpeg(stored, exif=pictures.orientation_exif(6)))
    assert (decoded.width, decoded.height) == (3000, 4000)
    assert (decoded.renditions["thumbnail"].width, decoded.renditions["thumbnail"].height) == (480, 640)
    expected = stored.transpose(Image.Transpose.ROTATE_270).resize((512, 683), Image.Resampling.LANCZOS)
    assert difference(decoded, expected) < SAME


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "PNG"])
def test_renditions_carry_nothing_but_pixels(sandbox: Sandbox, kind: str) -> None:
    options = {"xmp": pictures.xmp("private", "words").encode()} if kind in {"JPEG", "WEBP"} else {}
    profile = pictures.wide_gamut_profile()
    data = pictures.save(pictures.reference(), kind, exif=pictures.travel_exif(), icc_profile=profile, **options)
    for rendition in sandbox.decode(data).renditions.values():
        picture = Image.open(BytesIO(rendition.data))
        picture.load()
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(picture.info)
        assert not picture.getexif()
        assert b"Canon" not in rendition.data


def test_only_the_specs_asked_for_are_made(sandbox: Sandbox) -> None:
    tiny = replace(THUMBNAIL, name="tiny", longest=32)
    decoded = sandbox.decode(pictures.jpeg(), specs=[tiny])
    assert list(decoded.renditions) == ["tiny"]
    assert shown(decoded, "tiny").size == (32, 24)
    assert sandbox.decode(pictures.jpeg(), specs=[]).renditions == {}


def test_an_encoder_gets_full_colour(sandbox: Sandbox) -> None:
    assert ENCODER.media_type == "image/jpeg"
    picture = shown(sandbox.decode(pictures.jpeg()))
    assert [component[1:3] for component in picture.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert PREVIEW.size_for(1000, 100) == (1000, 100)
