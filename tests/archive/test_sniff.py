"""What a file is, by its first bytes."""

from __future__ import annotations

import pytest

from archive.sniff import FILMS, KINDS, PICTURES, UnsupportedMedia, sniff, sniff_media, sniff_picture
from tests import pictures

VIDEO_HEADS = {
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
    "video/quicktime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\x82\x84webm",
    "video/x-matroska": b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\1\x42\x82\x88matroska",
    "video/x-msvideo": b"RIFF\0\0\1\0AVI LIST",
    "video/mp2t": (b"\x47" + bytes(187)) * 4,
    "video/mpeg": b"\0\0\1\xba\x44\0\4\0",
    "video/x-ms-wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
    "video/x-flv": b"FLV\1\5",
    "video/ogg": b"OggS\0\2",
}
MARKUP = {
    b"<svg xmlns='http://www.w3.org/2000/svg'>": "image/svg+xml",
    b"\xef\xbb\xbf  <?xml version='1.0'?><!-- a --><SVG>": "image/svg+xml",
    b"<!DOCTYPE html><p>": "text/html",
    b"\n<html>": "text/html",
    b"<script>alert(1)</script>": "text/html",
    b"<?xml version='1.0'?><note/>": "application/xml",
}


@pytest.mark.parametrize("media_type", PICTURES)
def test_every_kind_of_picture_is_known_by_its_first_64_bytes(media_type: str) -> None:
    assert sniff(pictures.EVERY_KIND[media_type]()[:64]) == media_type


@pytest.mark.parametrize("media_type", VIDEO_HEADS)
def test_videos_are_named_and_no_pictures(media_type: str) -> None:
    assert sniff(VIDEO_HEADS[media_type]) == media_type
    with pytest.raises(UnsupportedMedia, match=r"a picture is asked for. Upload JPEG, PNG") as refusal:
        sniff_picture(VIDEO_HEADS[media_type])
    assert refusal.value.media_type == media_type


@pytest.mark.parametrize("media_type", FILMS)
def test_the_usual_containers_are_taken(media_type: str) -> None:
    assert sniff_media(VIDEO_HEADS[media_type]) == media_type


@pytest.mark.parametrize("media_type", sorted(set(VIDEO_HEADS) - set(FILMS)))
def test_other_containers_are_refused_with_what_to_do(media_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match=r"are not accepted. Convert it to MP4. Upload JPEG"):
        sniff_media(VIDEO_HEADS[media_type])


@pytest.mark.parametrize(
    "text",
    [
        b"ffconcat version 1.0\nfile private.mp4\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://example.org/a.ts\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n",
        b"[playlist]\nFile1=/etc/passwd\n",
    ],
)
def test_lists_that_name_other_files_are_no_videos(text: bytes) -> None:
    assert sniff(text) is None
    with pytest.raises(UnsupportedMedia, match="not a picture or a video of a known kind"):
        sniff_media(text)


def test_camcorder_transport_streams_with_time_codes_are_known() -> None:
    assert sniff((bytes(4) + b"\x47" + bytes(187)) * 4) == "video/mp2t"


def test_old_quicktime_files_without_a_brand_are_videos() -> None:
    assert sniff(b"\0\0\0\x08wide\0\1\0\0mdat") == "video/quicktime"


@pytest.mark.parametrize("head", MARKUP)
def test_markup_is_never_a_picture(head: bytes) -> None:
    assert sniff(head) == MARKUP[head]
    with pytest.raises(UnsupportedMedia):
        sniff_picture(head)


@pytest.mark.parametrize(
    ("brands", "media_type"),
    [
        (b"mif1\0\0\0\0mif1heic", "image/heic"),
        (b"mif1\0\0\0\0mif1avif", "image/avif"),
        (b"avis\0\0\0\0avisavif", "image/avif"),
        (b"heix\0\0\0\0mif1heix", "image/heic"),
        (b"crx \0\0\0\1crx isom", "image/x-canon-cr3"),
        (b"M4A \0\0\0\0M4A mp42", "audio/mp4"),
        (b"3gp4\0\0\0\0isom3gp4", "video/mp4"),
    ],
)
def test_iso_media_are_told_apart_by_their_brands(brands: bytes, media_type: str) -> None:
    assert sniff(len(brands + bytes(8)).to_bytes(4, "big") + b"ftyp" + brands) == media_type


@pytest.mark.parametrize("head", [b"hello", b"BM is how this text begins", bytes(64), b"RIFF", b"\0\0\0\x20ftyp"])
def test_what_nobody_knows_has_no_type(head: bytes) -> None:
    assert sniff(head) is None
    with pytest.raises(UnsupportedMedia, match="not a picture of a known kind"):
        sniff_picture(head)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnsupportedMedia, match="empty") as refusal:
        sniff_picture(b"")
    assert refusal.value.empty


def test_a_camera_raw_file_is_not_taken_for_a_tiff() -> None:
    assert sniff(b"II*\0\x10\0\0\0CR\2\0" + bytes(52)) == "image/x-canon-cr2"


def test_polyglots_are_what_their_first_bytes_say() -> None:
    assert sniff(pictures.jpeg_and_html()) == "image/jpeg"
    assert sniff(pictures.jpeg_and_zip()) == "image/jpeg"
    assert sniff(pictures.gif_and_script()) == "image/gif"
    assert sniff(b"<!-- " + pictures.jpeg()) == "application/xml"


def test_every_sniffed_type_has_a_name_for_people() -> None:
    seen = {sniff(head) for head in (*VIDEO_HEADS.values(), *MARKUP)}
    assert seen <= set(KINDS)
