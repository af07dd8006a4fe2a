"""Static files with hashes in their names, collected again only when one of them has changed.

Compressing them takes seconds, which a start of everything should not cost each time.
"""

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

# Pages of packages that Sightline does not show, and what the admin loads only with DEBUG.
UNUSED = ["rest_framework", "jquery.js", "select2.full.js", "xregexp.js"]


def collect_if_changed() -> bool:
    """True where files were collected."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected-from"
    current = fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == current:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    stamp.write_text(current, encoding="ascii")
    return True


def fingerprint() -> str:
    """Changes with every static file's path, size and time, and with the version of Django."""
    digest = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for path, storage in finder.list(UNUSED):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
