"""What is done for spaces without anybody asking: full ones are ready, large ones get their index, retired ones go."""

from __future__ import annotations

import logging
from contextlib import suppress

from django.core.cache import cache
from redis.exceptions import RedisError

from archive import dispatch
from archive.models import Space, SpaceState
from archive.spaces import (
    IndexBeingBuilt,
    build_index,
    clear_away,
    index_state,
    is_building,
    is_full,
    is_large,
    is_left_over,
    promote_full,
)
from archive.video.calibration import calibrate_shots
from archive.video.moments import follow
from workers.client import forget_texts

log = logging.getLogger(__name__)
# So long after a build that failed, or whose worker was killed, it is not tried again by itself.
PAUSE_SECONDS = 3600


def look_after_spaces() -> None:
    """A round of short steps. Building an index takes long, so another task is rung for it."""
    for space in spaces_to_index():
        if _was_tried(space):
            continue
        try:
            dispatch.index_space(space.slug)
        except dispatch.BrokerUnavailable as error:
            log.warning("space %s: no index yet (%s)", space.slug, error)
    ready = promote_full()
    if ready is not None:
        log.info("space %s is full and ready to be searched", ready.slug)
    look_after_videos()
    for space in Space.objects.filter(state=SpaceState.RETIRED):
        if is_left_over(space):
            clear_retired(space)


def look_after_videos() -> None:
    """The shots that are shown are those of the searched space; and what a space calls one shot is measured."""
    for space in Space.objects.live():
        mark = calibrate_shots(space)
        if mark is not None:
            log.info("space %s: frames closer than %.3f are of one shot", space.slug, mark)
    active = Space.objects.active()
    if active is not None:
        follow(active)


def spaces_to_index() -> list[Space]:
    """Large ones without an index, unless one is being built: there is one at a time. A space that is being filled
    gets it at the end: rows are written a hundred times slower into an index than beside it."""
    if is_building():
        return []
    found = []
    for space in Space.objects.live():
        state = index_state(space)
        if state.valid or not is_large(space):
            continue
        if space.state != SpaceState.BUILDING or is_full(space):
            found.append(space)
    return found


def index_by_name(slug: str) -> None:
    space = Space.objects.live().filter(slug=slug).first()
    if space is None:  # retired meanwhile
        return
    first = _remember_try(space)
    try:
        build_index(space)
    except IndexBeingBuilt as error:
        log.info("%s", error)
        if first:
            _forget_try(space)
    except Exception:
        _remember_try(space)  # hours may have gone by
        raise
    else:
        _forget_try(space)
    promote_full()


def _was_tried(space: Space) -> bool:
    """Whether a build of a moment ago came to no end. Without Redis nobody knows, and nobody is rung for either."""
    with suppress(RedisError, OSError):
        return bool(cache.get(f"index:{space.pk}"))
    return False


def _remember_try(space: Space) -> bool:
    """Written down before it begins, for a worker that is killed writes nothing. Whether none was remembered."""
    with suppress(RedisError, OSError):
        return bool(cache.add(f"index:{space.pk}", True, PAUSE_SECONDS))
    return False


def _forget_try(space: Space) -> None:
    with suppress(RedisError, OSError):
        cache.delete(f"index:{space.pk}")


def clear_retired(space: Space) -> bool:
    """Free what a RETIRED space held: vectors, work, and what was remembered of texts; returns whether all is gone."""
    if not Space.objects.live().filter(fingerprint=space.fingerprint).exists():
        forget_texts(space)
    gone = clear_away(space)
    if not gone:
        log.warning("space %s: its tables are in use and are dropped later", space.slug)
    return gone
