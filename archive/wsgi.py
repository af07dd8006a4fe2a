"""The web process. It never loads torch."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from archive.bodies import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
# A connection anew for each request takes longer than most searches. Each thread of the server keeps one;
# workers do not, for they hold theirs through long computations.
os.environ.setdefault("CONN_MAX_AGE", "600")
application = whole_bodies(get_wsgi_application())
# Views are loaded now, not while the first visitor waits. What is loaded stays for good: left among the rest,
# each full garbage collection would walk through it, in the middle of somebody's search.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
