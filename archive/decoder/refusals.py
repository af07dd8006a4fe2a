"""Why a picture was not decoded, in words for the person who uploaded it."""

from __future__ import annotations

from typing import Literal, get_args

Code = Literal["empty", "unsupported", "truncated", "corrupt", "too_large", "memory", "no_pictures"]
CODES: tuple[Code, ...] = get_args(Code)

UPLOAD_AGAIN = "Upload it again from the source."


class DecoderError(Exception):
    """Nothing came out of the decoder. `permanent` says whether the same file will always end so."""

    permanent: bool


class Undecodable(DecoderError):
    """This file is no picture that anybody can use: retrying is of no use.

    `reason` is for people; `detail` is what the parser said, for the log.
    """

    permanent = True

    def __init__(self, reason: str, code: Code, detail: str = "") -> None:
        self.reason = reason
        self.code = code
        self.detail = detail
        super().__init__(reason)


class DecoderCrashed(DecoderError):
    """The process died over this file (or somebody killed it). `signal` is None where it left by itself."""

    permanent = False

    def __init__(self, signal: int | None, detail: str = "") -> None:
        self.signal = signal
        self.detail = detail
        how = f"was ended by signal {signal}" if signal else "ended without an answer"
        super().__init__(f"The decoder {how} while it read this file.{' ' + detail if detail else ''}")


class DecoderTimedOut(DecoderError):
    """The file kept the decoder busy for longer than `seconds`."""

    permanent = False

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Reading this file took longer than {seconds:g} seconds, so it was stopped.")


class StoreFailed(DecoderError):
    """The file could not be read where it lies; nothing is known of what is in it. `detail` is the system's word."""

    permanent = False

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(f"The store failed while this file was read ({detail}).")


def truncated(label: str) -> Undecodable:
    return Undecodable(
        f"This {label} ends too early: the file is damaged or was cut off in transfer. {UPLOAD_AGAIN}",
        "truncated",
    )


def corrupt(label: str) -> Undecodable:
    return Undecodable(f"This {label} is damaged and cannot be read. {UPLOAD_AGAIN}", "corrupt")


def no_pictures(label: str) -> Undecodable:
    return Undecodable(
        f"This {label} file holds sound and no pictures, so there is nothing to search in it. Upload the film itself.",
        "no_pictures",
    )


def no_frames(label: str) -> Undecodable:
    return Undecodable(
        f"This {label} file announces a film, but holds not a single frame of it. {UPLOAD_AGAIN}", "no_pictures"
    )


def too_many_pixels(width: int, height: int, limit: int) -> Undecodable:
    return Undecodable(
        f"This picture has {width} x {height} pixels, {_megapixels(width * height)} megapixels; "
        f"the limit is {_megapixels(limit)}. Make it smaller and upload it again.",
        "too_large",
    )


def too_much_memory(label: str) -> Undecodable:
    return Undecodable(
        f"This {label} needs more memory than one picture may take. Save it smaller or in another format.",
        "memory",
    )


def camera_raw() -> Undecodable:
    return Undecodable(
        "This is a raw file of a camera, which holds only a small preview. Develop it to JPEG or TIFF and upload that.",
        "unsupported",
    )


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.0f}" if pixels >= 10e6 else f"{pixels / 1e6:.1f}"


# How Pillow and the libraries below it say that bytes are missing.
SIGNS_OF_A_CUT = (
    "truncated",
    "end of file",
    "end-of-file",
    "eof",
    "not enough",
    "unexpected end",
    "premature",
    "size too small",
    "cannot read full",
    "requires a buffer",
    "partial file",
)


def refusal_of(problem: Exception, label: str) -> Undecodable:
    """What to tell people about an exception of a parser."""
    said = str(problem).lower()
    if isinstance(problem, MemoryError) or "out of memory" in said:
        refusal = too_much_memory(label)
    elif "decompression bomb" in said:
        refusal = Undecodable(f"This {label} unpacks to far more pixels than is allowed.", "too_large")
    else:
        refusal = truncated(label) if any(sign in said for sign in SIGNS_OF_A_CUT) else corrupt(label)
    refusal.detail = f"{type(problem).__name__}: {problem}"[:500]
    return refusal
