"""`manage.py space fetch`, and what `space create` says of weights: parse, call, report."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from archive.catalogue import Model, find_model, is_here, models, models_folder
from archive.models import Space
from workers.encoders.sources import differs_from_known, find_source
from workers.encoders.weights import SUMS, read_sums
from workers.fetch import HubUnreachable, fetch

HELP = "download a model, for this machine or to carry to another"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="of docs/models.md")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where its folder goes (SIGHTLINE_MODELS)")
    parser.add_argument("--list", action="store_true", help="every model known by name, and which are here")
    parser.add_argument("--json", action="store_true")


def fetch_model(options: Mapping[str, Any]) -> str:
    """Returns what is printed. Raises `FetchFailed`."""
    if options["list"] or not options["name"]:
        return _all_models(as_json=options["json"])
    model = find_model(options["name"])
    if model is None:
        raise CommandError(f"There is no model {options['name']!r}. There are: {', '.join(models())}.")
    folder = ((options["to"] or models_folder()) / model.name).expanduser().resolve()
    _download(model, folder)
    sums = read_sums(folder / SUMS)
    files = [{"name": name, "size": (folder / name).stat().st_size, "sha256": sums[name]} for name in sums]
    if options["json"]:
        about = {"model": model.name, "folder": str(folder), "licence": model.licence}
        return json.dumps({**about, "bytes": sum(int(file["size"]) for file in files), "files": files})
    where = "" if folder == models_folder().resolve() / model.name else f" --weights {folder}"
    return (
        f"{model.name} is in {folder}. Licence: {model.licence}.\n"
        f"Next: manage.py space create SLUG --model {model.name}{where}"
    )


def get_weights(name: str, weights: str, say: Callable[[str], Any]) -> None:
    """A model known by name comes from the hub where there is one; without, opening it says what to do."""
    model = find_model(name)
    if model is None or weights or is_here(model) or settings.SIGHTLINE_OFFLINE:
        return
    try:
        _download(model, models_folder() / model.name)
    except HubUnreachable as error:
        say(str(error))


def about_weights(space: Space) -> str:
    """What to say of a new space's weights; empty when they are the known ones, or nobody knows."""
    if space.model == "fake" or not differs_from_known(find_source(space.model, space.pretrained)):
        return ""
    return f"These are not the weights that are known as {space.model}: taken as weights of your own."


def _all_models(*, as_json: bool) -> str:
    if as_json:
        return json.dumps([{**vars(model), "here": is_here(model)} for model in models().values()])
    return "\n".join(_line(model) for model in models().values())


def _line(model: Model) -> str:
    accuracy = f"{model.imagenet:.1f} %" if model.imagenet else "not published"
    here = "here" if is_here(model) else ""
    return f"{model.name:26} {model.numbers} numbers  {model.size} px  {accuracy:>13}  {here:4}  {model.choose}"


def _download(model: Model, folder: Path) -> None:
    """With a bar for each file, where a person watches."""
    console = Console(stderr=True)
    bar = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*bar, console=console, disable=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def show(file: str, here: int, size: int) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file, total=size)
            progress.update(bars[file], completed=here)

        fetch(model, folder, show)
