"""`manage.py vocabulary import|export`: the concepts, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from archive.exchange.concept_import import import_vocabulary
from archive.exchange.concept_rows import VOCABULARY, concept_rows
from archive.exchange.writing import write
from archive.management.exchange import ExchangeCommand


class Command(ExchangeCommand):
    help = "The vocabulary as CSV or JSON: names, prompts and the tree of concepts, out and in again."
    what = "the vocabulary"
    take = staticmethod(import_vocabulary)

    def table(self, user: User, kind: str, options: dict[str, Any]) -> Iterator[bytes]:
        return write(concept_rows(user), VOCABULARY.known, kind)
