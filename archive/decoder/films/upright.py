"""A decoded frame as people see it: upright, square pixels, progressive, 8-bit sRGB."""

from __future__ import annotations

from fractions import Fraction

import av.filter
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from PIL import Image
from PIL.Image import Transpose

from archive.decoder.specs import Spec

# Numbers of ITU-T H.273.
BT709, UNSPECIFIED, BT470BG, SMPTE170M, SMPTE240M, BT2020 = 1, 2, 5, 6, 7, 9
PQ, HLG = 16, 18
MATRICES = {BT709: "ITU709", BT470BG: "ITU601", SMPTE170M: "ITU601", SMPTE240M: "SMPTE240M", BT2020: "BT2020"}
HD = 720  # a film that does not say which matrix it was made with has BT.709 from this height on, else BT.601

TURNS = {90: Transpose.ROTATE_90, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_270}
WHITE = 203.0  # cd/m2 of reference white (ITU-R BT.2408)
HLG_PEAK = 1000.0
KNEE = 0.75
# BT.2020 to BT.709 in linear light (the inverse of ITU-R BT.2087).
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)

Light = npt.NDArray[np.float32]


def picture_of(frame: VideoFrame, aspect: Fraction, spec: Spec) -> Image.Image:
    """The frame, no larger than `spec` allows. `aspect`: the width of a pixel by its height."""
    turn = round(frame.rotation / 90) * 90 % 360
    width, height = seen_size(frame.width, frame.height, aspect)
    across, down = spec.size_for(height, width)[::-1] if turn in (90, 270) else spec.size_for(width, height)
    bright = frame.color_trc in (PQ, HLG)
    matrix = MATRICES.get(int(frame.colorspace), "ITU709" if frame.height >= HD else "ITU601")
    small = one_field(frame).reformat(
        width=across,
        height=down,
        format="rgb48le" if bright else "rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        interpolation="AREA",
        threads=1,
    )
    pixels = small.to_ndarray()
    picture = Image.fromarray(to_sdr(pixels.astype(np.uint16), int(frame.color_trc)) if bright else pixels)
    return picture.transpose(TURNS[turn]) if turn else picture


def seen_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """With square pixels: an anamorphic picture is as wide as it is meant, and never lower."""
    return max(1, round(width * aspect)), height


def sane_aspect(aspect: Fraction | None) -> Fraction:
    """Files say 0/1 where they do not know, and sometimes nonsense."""
    return aspect if aspect is not None and Fraction(1, 8) <= aspect <= 8 else Fraction(1)


def one_field(frame: VideoFrame) -> VideoFrame:
    """Of an interlaced frame the upper field, half as high: its lines were taken at one moment. Frames are shown far
    smaller than they are, so that what a filter would invent between the lines would be thrown away again."""
    if not frame.interlaced_frame or frame.height < 4:
        return frame
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    field, sink = graph.add("field", "top"), graph.add("buffersink")
    source.link_to(field)
    field.link_to(sink)
    graph.configure()
    graph.push(frame)
    found = graph.pull()
    assert isinstance(found, VideoFrame)
    return found


def to_sdr(pixels: npt.NDArray[np.uint16], curve: int) -> npt.NDArray[np.uint8]:
    """BT.2020 with the PQ or HLG curve (h, w, 3) as sRGB.

    Up to three quarters of reference white every light stays what it is, so that faces and skies look as in an SDR
    grade; what is brighter is bent towards white by an exponential knee, in all three colours alike, which keeps
    hues. The other primaries come last.
    """
    coded: Light = pixels.astype(np.float32) / np.float32(65535)
    light = from_pq(coded) if curve == PQ else from_hlg(coded)
    peak = light.max(axis=2, keepdims=True)
    over = np.maximum(peak - KNEE, 0)
    bent = np.minimum(peak, KNEE) + (1 - KNEE) * (1 - np.exp(-over / (1 - KNEE)))
    light = light * (bent / np.maximum(peak, 1e-6))
    light = np.clip(light @ TO_709.T, 0, 1)
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(srgb * 255), dtype=np.uint8)


def from_pq(coded: Light) -> Light:
    """SMPTE ST 2084 as linear light, 1.0 being reference white."""
    power = coded ** np.float32(1 / 78.84375)
    light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    return np.asarray(light * (10_000 / WHITE), dtype=np.float32)


def from_hlg(coded: Light) -> Light:
    """ARIB STD-B67 (ITU-R BT.2100) as a display of 1000 cd/m2 shows it, 1.0 being reference white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
    shown = scene * np.maximum(luma, 1e-6)[..., None] ** 0.2
    return np.asarray(shown * (HLG_PEAK / WHITE), dtype=np.float32)
