"""What the decoder reads from EXIF, XMP and IPTC, and what it refuses to believe."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
from PIL import Image

from archive.decoder.clean import MAX_EXIF
from archive.decoder.decoded import Decoded
from archive.decoder.sandbox import Sandbox
from tests import pictures

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def read(sandbox: Sandbox, exif: Image.Exif) -> Decoded:
    return sandbox.decode(pictures.jpeg(exif=exif), specs=[])


def taken(sandbox: Sandbox, **tags: object) -> tuple[str | None, str | None]:
    numbers = {"original": 0x9003, "offset": 0x9011, "fraction": 0x9291, "digitized": 0x9004}
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD).update({numbers[name]: value for name, value in tags.items()})
    decoded = read(sandbox, exif)
    return decoded.taken_at, decoded.taken_offset


def place(sandbox: Sandbox, *tags: object) -> tuple[float | None, float | None]:
    exif = Image.Exif()
    exif.get_ifd(GPS_IFD).update(dict(enumerate(tags, start=1)))
    decoded = read(sandbox, exif)
    return decoded.latitude, decoded.longitude


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_telephones_facts_are_read_from_every_kind(sandbox: Sandbox, kind: str) -> None:
    decoded = sandbox.decode(pictures.travel(kind), specs=[])
    assert (decoded.taken_at, decoded.taken_offset) == ("2024-05-01T12:30:45.120000", "+02:00")
    assert (decoded.latitude, decoded.longitude) == (52.37, -4.89)
    assert decoded.camera == "Canon EOS R6"
    assert decoded.caption == "The harbour at noon"
    assert decoded.exif["ExposureTime"] == pytest.approx(0.004)
    assert decoded.exif["ISOSpeedRatings"] == 200
    assert "MakerNote" not in decoded.exif


def test_a_picture_without_facts_says_nothing(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.png(), specs=[])
    assert (decoded.taken_at, decoded.latitude, decoded.camera, decoded.title, decoded.exif) == (
        None, None, "", "", {},
    )  # fmt: skip


def test_a_time_without_a_zone_has_no_offset(sandbox: Sandbox) -> None:
    assert taken(sandbox, original="2024:05:01 12:30:45") == ("2024-05-01T12:30:45", None)


def test_the_time_of_scanning_is_second_best(sandbox: Sandbox) -> None:
    assert taken(sandbox, digitized="2011-02-03 04:05:06") == ("2011-02-03T04:05:06", None)
    both = taken(sandbox, original="2010:02:03 04:05:06", digitized="2011:02:03 04:05:06")
    assert both == ("2010-02-03T04:05:06", None)


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:13:01 12:00:00",
        "yesterday",
        "0001:01:01 00:00:00",
        "",
    ],
)
def test_times_that_cannot_be_are_none(sandbox: Sandbox, text: str) -> None:
    assert taken(sandbox, original=text) == (None, None)


@pytest.mark.parametrize("offset", ["+99:00", "Z", "+2", "   :  "])
def test_a_zone_that_cannot_be_is_left_out(sandbox: Sandbox, offset: str) -> None:
    assert taken(sandbox, original="2024:05:01 12:30:45", offset=offset)[1] is None


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("samsung", "SM-G991B", "samsung SM-G991B"),
        ("Apple\0\0", "iPhone 15", "Apple iPhone 15"),
        ("", "DSC-RX100", "DSC-RX100"),
    ],
)
def test_a_camera_is_named_once(sandbox: Sandbox, make: str, model: str, camera: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = make, model
    assert read(sandbox, exif).camera == camera


@pytest.mark.parametrize(
    "tags",
    [
        ("N", (0.0, 0.0, 0.0), "E", (0.0, 0.0, 0.0)),
        ("N", (91.0, 0.0, 0.0), "E", (4.0, 0.0, 0.0)),
        ("N", (52.0, 0.0, 0.0), "E", (181.0, 0.0, 0.0)),
        ("", (52.0, 0.0, 0.0), "E", (4.0, 0.0, 0.0)),
        ("N", (52.0, 0.0, 0.0)),
    ],
)
def test_places_that_cannot_be_are_none(sandbox: Sandbox, tags: tuple[object, ...]) -> None:
    assert place(sandbox, *tags) == (None, None)


def test_the_south_and_the_west_are_negative(sandbox: Sandbox) -> None:
    assert place(sandbox, "S", (33.0, 51.5, 0.0), "W", (151.0, 12.0, 36.0)) == (-33.8583333, -151.21)


def test_what_cameras_write_by_themselves_is_no_caption(sandbox: Sandbox) -> None:
    exif = Image.Exif()
    exif[0x010E] = "OLYMPUS DIGITAL CAMERA         "
    assert read(sandbox, exif).caption == ""


def test_titles_from_windows_are_read(sandbox: Sandbox) -> None:
    exif = Image.Exif()
    exif[0x9C9B] = "Zürich - abends\0".encode("utf-16-le")
    assert read(sandbox, exif).title == "Zürich - abends"


def test_xmp_words_come_before_exif(sandbox: Sandbox) -> None:
    packet = pictures.xmp("A title", "A caption").encode()
    decoded = sandbox.decode(pictures.jpeg(xmp=packet, exif=pictures.travel_exif()), specs=[])
    assert (decoded.title, decoded.caption) == ("A title", "A caption")
    assert sandbox.decode(pictures.png_with_xmp(pictures.xmp("T", "C")), specs=[]).title == "T"


def test_iptc_words_are_read(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(pictures.jpeg_with_iptc("Schlagzeile", "Käse in Köln"), specs=[])
    assert (decoded.title, decoded.caption) == ("Schlagzeile", "Käse in Köln")


def test_an_xml_bomb_in_xmp_is_ignored_with_a_note(sandbox: Sandbox) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
    decoded = sandbox.decode(pictures.jpeg(xmp=bomb.encode()), specs=[])
    assert decoded.title == ""
    assert any("XMP was ignored: EntitiesForbidden" in note for note in decoded.notes)


def test_control_characters_and_half_pairs_never_come_out(sandbox: Sandbox) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a\x01b\x1bcd\x7f\ttab\nline"
    exif[0x010F] = "\x00\x02"
    decoded = read(sandbox, exif)
    assert decoded.caption == "abcd\ttab\nline"
    turned = sandbox.decode(pictures.png_with_xmp(pictures.xmp("gpj.\u202eexe", "")), specs=[])
    assert turned.title == "gpj.exe"
    words = json.dumps([decoded.exif, decoded.caption], ensure_ascii=False)
    assert "\0" not in words
    words.encode("utf-8")


def test_exif_stays_under_its_limit(sandbox: Sandbox) -> None:
    exif = Image.Exif()
    for tag in (0x010E, 0x0131, 0x013B, 0x8298):
        exif[tag] = "x" * 15_000
    exif[0x0110] = "kept"
    decoded = read(sandbox, exif)
    assert len(json.dumps(decoded.exif)) <= MAX_EXIF
    assert decoded.exif["Model"] == "kept"
    assert len(decoded.caption) <= 2000


def test_a_rational_divided_by_zero_is_left_out(sandbox: Sandbox) -> None:
    # One big-endian directory: ExifIFD at 26, which holds ExposureTime = 1/0.
    block = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, EXIF_IFD, 4, 1, 26, 0)
    block += struct.pack(">HHHIIIII", 1, 0x829A, 5, 1, 44, 0, 1, 0)
    decoded = sandbox.decode(pictures.jpeg_with_exif(block), specs=[])
    assert "ExposureTime" not in decoded.exif
    json.dumps(decoded.exif, allow_nan=False)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"garbage" * 20,
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 60,
        b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, EXIF_IFD, 4, 1, 8, 0),
    ],
)
def test_broken_exif_costs_the_facts_and_not_the_picture(sandbox: Sandbox, block: bytes) -> None:
    decoded = sandbox.decode(pictures.jpeg_with_exif(block))
    assert decoded.taken_at is None
    assert set(decoded.renditions) == {"thumbnail", "preview", "encoder"}
