"""Whatever people upload ends in a picture or in a sentence, quickly and in little memory."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from archive.decoder.refusals import DecoderError, Undecodable
from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import THUMBNAIL
from archive.sniff import PICTURES
from tests import pictures

GOOD = {media_type: make() for media_type, make in pictures.EVERY_KIND.items()}
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def refusal(sandbox: Sandbox, data: bytes) -> Undecodable:
    with pytest.raises(Undecodable) as refused:
        sandbox.decode(data)
    assert refused.value.permanent
    assert str(refused.value).endswith(".")
    return refused.value


def peak_memory(sandbox: Sandbox) -> int:
    """The most that the child has ever held, in bytes."""
    status = Path(f"/proc/{sandbox.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def test_an_empty_file_is_refused_as_empty(sandbox: Sandbox) -> None:
    refused = refusal(sandbox, b"")
    assert refused.code == "empty"
    assert "empty" in refused.reason


def test_random_bytes_are_no_picture(sandbox: Sandbox) -> None:
    refused = refusal(sandbox, random.Random(1).randbytes(5000))
    assert refused.code == "unsupported"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("media_type", PICTURES)
def test_a_truncated_picture_is_refused_with_a_reason(sandbox: Sandbox, media_type: str, share: float) -> None:
    refused = refusal(sandbox, pictures.cut(GOOD[media_type], share))
    assert refused.code == "truncated"
    label = PICTURES[media_type].label
    assert refused.reason == (
        f"This {label} ends too early: the file is damaged or was cut off in transfer. Upload it again from the source."
    )


def test_a_png_of_a_header_only_is_truncated(sandbox: Sandbox) -> None:
    assert refusal(sandbox, pictures.header_only_png()).code == "truncated"


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_magic_number_alone_is_no_picture(sandbox: Sandbox, media_type: str) -> None:
    assert refusal(sandbox, GOOD[media_type][:32]).code in {"truncated", "corrupt"}


def test_a_damaged_middle_is_corrupt(sandbox: Sandbox) -> None:
    data = bytearray(pictures.png(pictures.distinct(3)))
    data[len(data) // 2] ^= 0xFF
    refused = refusal(sandbox, bytes(data))
    assert refused.code == "corrupt"
    assert refused.detail


def test_the_name_of_a_file_does_not_matter(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(pictures.png())
    assert sandbox.decode(path).media_type == "image/png"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(Undecodable, match="SVG files are not accepted"):
        sandbox.decode(path)


def test_a_bomb_is_refused_from_its_header(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg())
    bomb = pictures.bomb_png()
    assert len(bomb) < MEGABYTE
    before, begun = peak_memory(sandbox), time.monotonic()
    refused = refusal(sandbox, bomb)
    assert refused.code == "too_large"
    assert "20000 x 20000 pixels, 400 megapixels; the limit is 80" in refused.reason
    assert time.monotonic() - begun < 1
    assert peak_memory(sandbox) - before < 20 * MEGABYTE


@pytest.mark.parametrize("size", [(9000, 9000), (60_000, 60_000), (2**31 - 1, 1), (2**31 - 1, 2**31 - 1)])
def test_sizes_above_the_limit_are_refused(sandbox: Sandbox, size: tuple[int, int]) -> None:
    assert refusal(sandbox, pictures.boasting_png(size)).code == "too_large"


def test_the_limit_of_pixels_is_a_setting() -> None:
    with Sandbox(max_pixels=320 * 240) as sandbox:
        assert sandbox.decode(pictures.jpeg()).width == 320
        assert refusal(sandbox, pictures.jpeg(pictures.reference((321, 240)))).code == "too_large"


def test_a_picture_at_the_limit_fits_into_the_memory(sandbox: Sandbox) -> None:
    big = pictures.jpeg(Image.new("CMYK", (10_000, 8000), (10, 20, 30, 0)))
    assert sandbox.decode(big, specs=[THUMBNAIL], deadline=60).width == 10_000
    clear = pictures.png(Image.new("LA", (10_000, 8000)), compress_level=1)
    assert sandbox.decode(clear, specs=[THUMBNAIL], deadline=60).width == 10_000


def test_too_little_memory_is_a_refusal_and_not_a_crash() -> None:
    with Sandbox(memory=100 * MEGABYTE) as sandbox:
        large = pictures.png(Image.new("RGB", (7000, 7000)), compress_level=1)
        assert refusal(sandbox, large).code == "memory"
        assert sandbox.decode(pictures.jpeg()).format == "JPEG"


def test_a_comment_that_unpacks_to_megabytes_is_refused(sandbox: Sandbox) -> None:
    before = peak_memory(sandbox)
    refusal(sandbox, pictures.text_bomb_png())
    assert peak_memory(sandbox) - before < 20 * MEGABYTE


def test_a_raw_file_is_not_replaced_by_its_preview(sandbox: Sandbox) -> None:
    for tags in ({50706: b"\1\4\0\0"}, {254: 1, 330: 8}):
        refused = refusal(sandbox, pictures.tiff(tiffinfo=tags))
        assert refused.code == "unsupported"
        assert "raw file of a camera" in refused.reason


MUTATIONS = st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=12)


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(media_type=st.sampled_from(list(PICTURES)), mutations=MUTATIONS, head=st.floats(0, 1), cut=st.booleans())
def test_mutated_pictures_end_in_a_picture_or_a_named_error(
    sandbox: Sandbox, media_type: str, mutations: list[tuple[float, int]], head: float, cut: bool
) -> None:
    data = bytearray(GOOD[media_type])
    # Most of what parsers get wrong lies in the first few hundred bytes.
    reach = len(data) if head > 0.7 else min(len(data), 400)
    for place, value in mutations:
        data[int(place * reach)] = value
    if cut:
        del data[int(len(data) * max(head, 0.01)) :]
    with suppress(DecoderError):
        thumbnail = sandbox.decode(bytes(data), specs=[THUMBNAIL], deadline=10).renditions["thumbnail"]
        assert max(thumbnail.width, thumbnail.height) <= 640
