"""One process of the crew."""

from __future__ import annotations

import time

from django.conf import settings

from archive.models import Space, Work, WorkState
from workers.benchmarks.backlog import photographs
from workers.encode import Pipeline, drain_encode
from workers.encoders.load import encoder_of
from workers.prepare import worker_name


class Member:
    def __init__(self, space_id: int) -> None:
        self.space = Space.objects.get(pk=space_id)
        self.encoder = encoder_of(self.space)
        self.prepared = [self.encoder.prepare_jpeg(next(photographs()))] * settings.SIGHTLINE_ENCODE_BATCH

    def bare(self, seconds: float) -> int:
        """Pictures through the model alone, at least one batch."""
        until = time.monotonic() + seconds
        done = 0
        while not done or time.monotonic() < until:
            done += len(self.encoder.encode_pictures(self.prepared))
        return done

    def pipeline(self, seconds: float) -> int:
        """Pictures through everything, as a worker does it."""
        Pipeline(self.space, self.encoder).run(time.monotonic() + seconds)
        mine = Work.objects.filter(state=WorkState.DONE, target=self.space.slug, worker=worker_name())
        return mine.count()

    def drain(self, _: float) -> int:
        """All that waits, in every live space."""
        while drain_encode():
            pass
        return 0
