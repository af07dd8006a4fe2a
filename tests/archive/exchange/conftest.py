"""A picture of the harbour, which tables tell of."""

from __future__ import annotations

import pytest

from archive.models import Asset, Collection
from tests.archive.test_visibility import put


@pytest.fixture
def boat(harbour: Collection) -> Asset:
    return put(harbour, "boat")
