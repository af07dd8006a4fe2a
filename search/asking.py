"""Why the worker that reads words and pictures gave no vector, in the search's own terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archive.allowance import AskedTooOften
from search import failures
from workers import client


@contextmanager
def asked_of_the_worker() -> Iterator[None]:
    """Raises `EncoderUnavailable` and `AskedTooOften` of `search.failures`, whose words are for people."""
    try:
        yield
    except AskedTooOften as error:
        raise failures.AskedTooOften(error.wait) from error
    except client.EncoderBusy as error:
        raise failures.EncoderUnavailable(str(error), failures.BUSY) from error
    except client.EncoderUnavailable as error:
        raise failures.EncoderUnavailable(str(error)) from error
