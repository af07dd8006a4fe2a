"""The admin of assets lives here and not in the archive's room, for its search box asks the engine."""

from search.admin import assets as assets
