"""The made-up archive that searching is measured on: questions find what looks like them, and what says them."""

from __future__ import annotations

import pytest

from archive.models import Asset
from search.benchmarks.synthetic import SHARES, TITLED, Lie, make_archive, name_query, name_tag
from search.candidates import find_candidates
from search.engine import search
from search.phrases import find_sayings
from search.query import Query
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db
ROWS, QUERIES = 600, 3


def test_each_question_is_said_by_some_titles_and_found_with_them() -> None:
    made = make_archive(ROWS, QUERIES)
    assert Asset.objects.exclude(title="").count() == ROWS // TITLED
    seen = find_candidates(Query(), made.visitor)
    assert seen.count() == ROWS
    for lie in Lie:
        for number, vector in enumerate(made.queries[lie]):
            question = name_query(lie, number)
            titled = set(Asset.objects.filter(title__endswith=question).values_list("pk", flat=True))
            assert titled
            said = {saying.asset_id for saying in find_sayings(seen, question, ROWS) if saying.whole}
            assert titled <= said
            remember_text(made.space, question, Encoded(vector))
            hits = search(Query(text=question), made.visitor).hits
            assert {hit.asset.pk for hit in hits if hit.said} == said
    some = find_candidates(Query(tags=name_tag(Lie.ANYWHERE, SHARES[0])), made.visitor)
    assert some.count() == ROWS * SHARES[0]
