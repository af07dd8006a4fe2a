"""Makers of test pictures, all in memory: every kind that people upload, and every kind that they should not.

Nearly all show the same four quarters (red, green / blue, yellow), so that a wrong turn or a wrong colour is
seen in any of them; `reference()` is what each should look like.
"""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin, TiffImagePlugin
from PIL.Image import Transpose

SIZE = (320, 240)
RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 160, 60), (40, 60, 200), (230, 200, 60)

# Undoes what EXIF's orientation asks a viewer to do.
STORED = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def reference(size: tuple[int, int] = SIZE) -> Image.Image:
    """8-bit sRGB, upright: red and green above, blue and yellow below."""
    width, height = size
    picture = Image.new("RGB", size, RED)
    picture.paste(GREEN, (width // 2, 0, width, height))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(YELLOW, (width // 2, height // 2, width, height))
    return picture


def distinct(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture that no other seed gives: coloured shapes on a coloured ground."""
    dice = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return dice.randrange(256), dice.randrange(256), dice.randrange(256)

    picture = Image.new("RGB", size, colour())
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        reach = dice.randrange(10, max(11, min(size) // 2))
        pen.ellipse((x, y, x + reach, y + reach), fill=colour())
    return picture


def photo(seed: int = 0, size: tuple[int, int] = (4032, 3024)) -> Image.Image:
    """Soft shapes and a little grain: compresses and decodes about as a photograph does."""
    soft = distinct(seed, (48, 36)).resize(size, Image.Resampling.BICUBIC)
    grain = Image.effect_noise((256, 256), 40).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return Image.blend(soft, grain, 0.12)


def save(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def jpeg(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "JPEG", **{"quality": 92, "subsampling": 0} | options)


def png(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "PNG", **options)


def webp(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "WEBP", **{"quality": 92} | options)


def gif(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "GIF", **options)


def tiff(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "TIFF", **options)


def bmp(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "BMP", **options)


def avif(picture: Image.Image | None = None, **options: Any) -> bytes:
    return save(picture or reference(), "AVIF", **{"quality": 90, "subsampling": "4:4:4"} | options)


def heic() -> bytes:
    """The reference with EXIF (Apple, iPhone 15, 2024-05-01 12:30:45) and an orientation of 6, that a HEIC's
    reader has obeyed already: upright it is 240 x 320, turned by a quarter to the right."""
    return base64.b64decode(_HEIC)


EVERY_KIND: dict[str, Callable[[], bytes]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/webp": webp,
    "image/gif": gif,
    "image/tiff": tiff,
    "image/bmp": bmp,
    "image/avif": avif,
    "image/heic": heic,
}


def stored_as(orientation: int, picture: Image.Image | None = None) -> Image.Image:
    """The pixels of a file that, turned by `orientation`, shows the picture upright."""
    picture = picture or reference()
    return picture.transpose(STORED[orientation]) if orientation in STORED else picture


def orientation_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def travel_exif() -> Image.Exif:
    """All that a telephone writes: time with zone, place, camera, a maker's note, a caption."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R6"
    exif[0x010E] = "The harbour at noon"
    photo_tags = exif.get_ifd(0x8769)
    photo_tags[0x9003], photo_tags[0x9011], photo_tags[0x9291] = "2024:05:01 12:30:45", "+02:00", "120"
    photo_tags[0x829A], photo_tags[0x8827], photo_tags[0x927C] = 0.004, 200, b"\0\1secret" * 500
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (52.0, 22.0, 12.0), "W", (4.0, 53.0, 24.0)
    return exif


def travel(kind: str) -> bytes:
    """The reference as a file of this kind that carries `travel_exif`."""
    exif = travel_exif()
    if kind != "TIFF":
        return save(reference(), kind, exif=exif)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in exif.items():
        tags[tag] = value
    for tag in (0x8769, 0x8825):
        tags[tag] = dict(exif.get_ifd(tag))
    return tiff(tiffinfo=tags)


# Unusual pixels


def grey_16_png(values: Sequence[int] = (0, 257 * 64, 257 * 128, 65535)) -> bytes:
    """Four vertical bars of 16-bit grey."""
    rows = [b"".join(struct.pack(">H", values[x * 4 // SIZE[0]]) for x in range(SIZE[0]))] * SIZE[1]
    return raw_png(SIZE, 16, 0, rows)


def rgb_16_png() -> bytes:
    """48 bits a pixel, which Pillow cannot write."""
    picture = reference()
    data = picture.tobytes()
    stride = picture.width * 3
    rows = [
        b"".join(struct.pack(">H", value * 257) for value in data[y * stride : (y + 1) * stride])
        for y in range(picture.height)
    ]
    return raw_png(SIZE, 16, 2, rows)


def raw_png(size: tuple[int, int], depth: int, colour: int, rows: Sequence[bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def cmyk_jpeg(picture: Image.Image | None = None, profile: bytes | None = None) -> bytes:
    """As Photoshop writes them: inverted, with Adobe's marker."""
    return jpeg((picture or reference()).convert("CMYK"), **({"icc_profile": profile} if profile else {}))


def palette_with_alpha() -> bytes:
    """The reference in a palette, its yellow quarter transparent."""
    picture = reference().quantize(4)
    clear = picture.getpixel((SIZE[0] - 1, SIZE[1] - 1))
    return png(picture, transparency=clear)


def half_clear_png(mode: str = "RGBA") -> bytes:
    """The reference (grey for LA), its right half fully transparent over black."""
    picture = reference().convert(mode)
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (SIZE[0] // 2, 0, *SIZE))
    picture.paste(0, (SIZE[0] // 2, 0, *SIZE))
    picture.putalpha(alpha)
    return png(picture)


def float_tiff(low: float = 0.0, high: float = 1.0) -> bytes:
    """A ramp from `low` at the left to `high` at the right."""
    ramp = Image.new("F", SIZE)
    ramp.putdata([low + (high - low) * x / (SIZE[0] - 1) for _ in range(SIZE[1]) for x in range(SIZE[0])])
    return tiff(ramp)


def animated(kind: str) -> bytes:
    """First the reference, then black."""
    return save(reference(), kind, save_all=True, append_images=[Image.new("RGB", SIZE)], duration=100, lossless=True)


def multi_picture_jpeg() -> bytes:
    """What iPhones and Samsungs write: a JPEG with a second one behind it, named in an MPF segment."""
    return save(reference(), "MPO", save_all=True, append_images=[Image.new("RGB", SIZE)], quality=92)


# Colour profiles, made by hand: ImageCms itself makes sRGB, XYZ and Lab only


def wide_gamut_profile() -> bytes:
    """Adobe RGB (1998): its primaries, adapted to D50, and a gamma of 2.2."""
    tags = {
        b"desc": _description("Wide"),
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": _xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": _xyz(0.14919, 0.06322, 0.74457),
    }
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(2.2 * 256))
    return _profile(b"mntrRGB XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def cmyk_profile() -> bytes:
    """A table of the sixteen corners of CMYK in Lab: a press with the simplest of inks."""
    corners = Image.new("RGB", (16, 1))
    for number in range(16):
        cyan, magenta, yellow, black = (number >> bit & 1 for bit in (3, 2, 1, 0))
        corners.putpixel((number, 0), tuple(255 * (1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    table = ImageCms.buildTransform(srgb, lab, "RGB", "LAB").apply(corners).tobytes()
    # Pillow keeps a and b signed, the profile wants them from 0.
    table = bytes(value if at % 3 == 0 else (value + 128) % 256 for at, value in enumerate(table))
    identity = bytes(range(256))
    lut = b"mft1" + struct.pack(">IBBBB9i", 0, 4, 3, 2, 0, *(65536 * one for one in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut += identity * 4 + table + identity * 3
    tags = {b"desc": _description("Inks"), b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"A2B0": lut}
    return _profile(b"prtrCMYKLab ", tags)


def wide_gamut_jpeg() -> bytes:
    """The reference in Adobe RGB: read without its profile, every colour is dull."""
    profile = wide_gamut_profile()
    wide = ImageCms.ImageCmsProfile(BytesIO(profile))
    turned = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), wide, "RGB", "RGB").apply(reference())
    return jpeg(turned, icc_profile=profile)


def _profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4sI12s12s4s28s", offset + len(body), b"", 0x02400000, kind, b"", b"acsp", b"")
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _description(text: str) -> bytes:
    data = text.encode() + b"\0"
    return b"desc" + struct.pack(">II", 0, len(data)) + data + b"\0" * 78


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(value * 65536) for value in (x, y, z)))


# Bad and hostile files


def cut(data: bytes, share: float = 0.5) -> bytes:
    return data[: int(len(data) * share)]


def header_only_png(size: tuple[int, int] = SIZE) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))


def boasting_png(size: tuple[int, int]) -> bytes:
    """A header that promises any number of pixels, and none of them."""
    return header_only_png(size) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def bomb_png(side: int = 20_000) -> bytes:
    """A complete PNG of a few kilobytes that unpacks to `side` squared pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def text_bomb_png() -> bytes:
    """A good picture with a comment that unpacks to 64 megabytes."""
    good = png()
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9))
    return good[:33] + bomb + good[33:]


def jpeg_and_html() -> bytes:
    page = b"<html><script>alert(document.domain)</script></html>"
    return jpeg(comment=page) + page


def jpeg_and_zip() -> bytes:
    return jpeg() + b"PK\3\4" + bytes(26) + b"PK\5\6" + bytes(18)


def gif_and_script() -> bytes:
    """The screen's size spells the beginning of a comment; browsers once ran such files."""
    data = bytearray(gif(Image.new("RGB", (0x2A2F, 4), RED)))
    return bytes(data) + b"*/=1;alert(document.domain)//"


def jpeg_with_exif(block: bytes) -> bytes:
    """The reference with these bytes as its EXIF, whatever they are."""
    return jpeg(exif=b"Exif\0\0" + block)


def jpeg_with_iptc(title: str, caption: str, *keywords: bytes, **more: Any) -> bytes:
    """The reference with two lines of a press agency and its keywords, in the block that Photoshop writes."""
    record = b""
    lines = [(5, title.encode("latin-1")), (120, caption.encode("latin-1")), *((25, word) for word in keywords)]
    for number, text in lines:
        record += struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(record)) + record + b"\0" * (len(record) % 2)
    segment = b"Photoshop 3.0\0" + resource
    good = jpeg(**more)
    return good[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(segment)) + segment + good[2:]


def png_with_xmp(packet: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet)
    return png(pnginfo=info)


def xmp(title: str, caption: str) -> str:
    def one(tag: str, text: str) -> str:
        return f'<dc:{tag}><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:{tag}>'

    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{one('title', title)}{one('description', caption)}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def keywords_xmp(subject: list[str], tree: Iterable[str] = ()) -> str:
    """As Lightroom writes it: the words flat, and once more as a tree."""

    def bag(tag: str, words: Iterable[str]) -> str:
        return f"<{tag}><rdf:Bag>{''.join(f'<rdf:li>{word}</rdf:li>' for word in words)}</rdf:Bag></{tag}>"

    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">'
        f"{bag('dc:subject', subject)}{bag('lr:hierarchicalSubject', tree)}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA
ADRpbG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAAlUAAgAAAAAEGgABAAAAAAAAAH4AAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA
AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHhodmNDAQNwAAAA
kAAAAAAAPPAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAPLoCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwA8oAoIDxZb
qSSmubgIaDAgAAADAyAAAAMAIWIAAQAHRAHBcrBiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAAFAAAAA8AAAABBw
aXhpAAAAAAMICAgAAAAJaXJvdAMAAAAYaXBtYQAAAAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAttt
ZGF0AAACUSgBrw7IIM6icjSDAcnX+0tP//yUdyH8hGoNYmbTR0eVmc0SZ9ZmfXAJ/8OR//z081lc9HmUBvv2dEAABLyjCHTLa1C6
FAn6H+l9Ub//oRu+E3f7y+YCpF+ZygAFQVhCksxwA8PfTi0KzdTPr17BC96W4AzP/zHYdfhJ1FJ6XKrMXSSQLYHXjtyhXfPFzKPG
Co2f7sZL1t7Q4e6ALrXT+lV9yYp15/R3tcjamZP41ypyF/BCY3bxylm61F++3pm/N980WklavYOwD/5kG0j/6XltsPnfk/1Agqzv
jsvsKwsYDA/oYEr72tHAESABISVnWNqoMhNsGKVmw1pKadlAgMBxK8vlcOQO0L+gSD/5sf6NHJEIbBNyi/kCjgv2SHaVySqvheKH
BHobSbkuTuojE1yEPOG60gU7K55cOmlAlnr7w6jlgtDhD8wXXCOdV/S5sKlcQljrhh2hqbR4ODWEfiwYhgk/CrcL61a1jZ+P3Y9K
P/X/zj/Pyj03m8H98gtwAAAGDIcAAAMAAAMAAbNoED/pwMhNsGKVmw1pKadlB+pz/75fK4cgdoX9AkH/zY/0aOSIQ2CblF/IFHBf
skO0rklVfC8UOCPQ2k3JcndRGJrkIecN1pAp2Vzy4dNKBZnHMmkfZBaHCH5guuEc6r+lzYVK4hLHXDDtDU2jwcGsI/FgxDBJ+FW4
X1q1rGz8fux6Uf+v/nH+flCFd2RJ68zjzMCyxNaHrXXGOhsWOYVK/lVhmNMYgjWjwWh49r7+iTDWTmV4CafPRsEMwgAAAwAAAwGj
AAAABkV4aWYAAE1NACoAAAAIAAQBDwACAAAABgAAAD4BEAACAAAACgAAAEQBEgADAAAAAQAGAACHaQAEAAAAAQAAAE4AAAAAQXBw
bGUAaVBob25lIDE1AAABkAMAAgAAABQAAABgAAAAADIwMjQ6MDU6MDEgMTI6MzA6NDUA
"""
