"""`manage.py benchmark admin` on a small archive: every list of the admin is opened, nothing is left behind."""

import pytest
from django.contrib import admin

from tests.benchmarks import left_behind, run_benchmark


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_list_of_the_admin_is_measured() -> None:
    rows = run_benchmark("admin")
    lists = {str(model._meta.verbose_name_plural) for model in admin.site._registry}
    assert lists <= set(rows)
    assert {"assets, next page", "assets, last page", "assets, middle", "work, middle", "history"} <= set(rows)
    assert {"assets, found by the words nowhere", "work, found by error", "page of an asset", "first page"} <= set(rows)
    assert any(name.startswith("assets, kind: ") for name in rows)
    assert {"assets, who curates a part", "assets, nearest to words, a tag, who curates a part"} <= set(rows)
    exported = {name: row for name, row in rows.items() if name.startswith("tags exported")}
    assert len(exported) == 2
    assert all(row["limit"] == 1000 for name, row in rows.items() if name not in exported)
    assert left_behind() == []
