"""Encodes: the workers that read, prepare and encode what the archive keeps.

`celery -A workers worker -Q media|encode|queries` starts one; `celery -A workers beat` the clock.
"""

from archive.broker import app

__all__ = ["app"]
