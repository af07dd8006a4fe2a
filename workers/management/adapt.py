"""`manage.py space adapt`: the arguments, the verb, and its table."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import CommandParser, OutputWrapper

from archive.models import Space
from archive.spaces import coverage
from workers.adapting.space import adapt_space
from workers.encoders.adapter_recipe import LOSSES, Recipe


def add_adapt_arguments(parser: CommandParser) -> None:
    parser.add_argument("slug", help="name of the new space")
    parser.add_argument("--parent", default="", help="the space whose vectors are adapted (the searched one)")
    parser.add_argument("--loss", choices=LOSSES, default=Recipe.loss, help="as CLIP is trained, or as SigLIP is")
    parser.add_argument(
        "--keep",
        type=float,
        default=Recipe.keep,
        metavar="COST",
        help=f"how hard what the model understands already is held on to ({Recipe.keep:g}); 0: not at all",
    )
    parser.add_argument("--even-if-worse", action="store_true", help="although it gains nothing on held-out captions")
    parser.add_argument("--json", action="store_true")


def adapt(parent: Space | None, options: dict[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    began = time.monotonic()
    space = adapt_space(
        options["slug"],
        parent,
        recipe=Recipe(loss=options["loss"], keep=options["keep"]),
        even_if_worse=options["even_if_worse"],
        say=stderr.write,
    )
    covered = coverage(space)
    report = {
        "space": space.slug,
        "parent": space.parent.slug if space.parent else "",
        "gain": space.gain,
        "done": covered.done,
        "total": covered.total,
        "took": round(time.monotonic() - began, 1),
    }
    stdout.write(json.dumps(report) if options["json"] else as_table(report))


def as_table(report: dict[str, Any]) -> str:
    gain = report["gain"]
    by = gain["difference"]
    lines = [f"{'held-out captions':24}{report['parent']:>16}{report['space']:>16}"]
    for name, form in (("R@1", ".1%"), ("R@5", ".1%"), ("MRR", ".3f")):
        lines.append(f"{name:24}{gain['parent'][name]:>16{form}}{gain['adapted'][name]:>16{form}}")
    lines += [
        f"{gain['captions']} captions, {gain['pictures']} assets; {by['MRR']:+.3f} MRR, 95 % sure: "
        f"{by['low']:+.3f} to {by['high']:+.3f}",
        f"{report['space']} covers {report['done']} of {report['total']} assets after {report['took']} s. Search it: "
        f"manage.py space activate {report['space']}",
    ]
    return "\n".join(lines)
