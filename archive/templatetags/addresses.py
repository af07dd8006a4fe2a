"""Addresses in templates."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django import template

register = template.Library()


@register.filter
def urlencoded(params: Mapping[str, str]) -> str:
    return urlencode(params)
