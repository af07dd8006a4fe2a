"""One Redis address, two spellings: redis-py's and kombu's."""

from urllib.parse import parse_qsl, quote, unquote, urlsplit


def broker_url(redis_url: str) -> str:
    """The same server as kombu spells it.

    redis-py writes a unix socket as `unix://:password@/path?db=0`,
    kombu as `redis+socket://:password@/path?virtual_host=0`.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = dict(parse_qsl(parts.query)).get("db", "0")
    password = f":{quote(unquote(parts.password), safe='')}@" if parts.password else ""
    return f"redis+socket://{password}{parts.path}?virtual_host={database}"
