"""Train with `python -m workers.encoders.training.photographs --out FOLDER`, measure with `--evaluate FOLDER`."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from workers.encoders.training import folder as model_folder
from workers.encoders.training.photographs.building import build
from workers.encoders.training.photographs.evaluation import STAMPS, Figures, evaluate
from workers.encoders.training.photographs.recipe import Recipe
from workers.encoders.training.photographs.sources import SourceMissing, find_sources

CHECKOUT = Path(__file__).parents[4]


def main() -> None:
    options = _options()
    try:
        if options.out:
            recipe = Recipe()
            recipe = replace(recipe, steps=options.steps or recipe.steps, seed=options.seed or recipe.seed)
            photographs = sorted(path for folder in options.photographs for path in folder.rglob("*.jpg"))
            build(options.out, find_sources(options.wordnet), photographs, recipe, _say)
        figures = evaluate(options.evaluate or options.out, stamps=options.stamps)
    except SourceMissing as error:
        raise SystemExit(str(error)) from error
    if options.out:
        card = model_folder.read_card(options.out)
        model_folder.write_card(options.out, {**card, "figures": asdict(figures)})
    _print(figures, as_json=options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.encoders.training.photographs", description=__doc__)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--out", type=Path, help="train and write the model into this folder")
    task.add_argument("--evaluate", type=Path, help="measure the model in this folder")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--photographs",
        type=Path,
        nargs="+",
        default=[CHECKOUT / "archive/photographs"],
        help="folders with photographs that may be used: they show what features look like",
    )
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="WordNet's database")
    parser.add_argument("--stamps", type=Path, default=STAMPS, help="Tux Paint's stamps, to measure on")
    parser.add_argument("--steps", type=int, help="number of training steps")
    parser.add_argument("--seed", type=int, help="seed of scenes, texts and weights")
    return parser.parse_args()


def _print(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        _say(json.dumps(asdict(figures), indent=2))
        return
    _say(f"{figures.photographs} photographs never seen, {figures.names} names")
    _say(f"own name first {figures.first:.1%}, among five {figures.among_five:.1%}")
    _say(f"searching for each name: mean average precision {figures.precision:.3f}")
    for subject, value in figures.subjects.items():
        _say(f"    {subject}: own name first {value:.1%}")
    _say(
        f"{figures.scenes} drawn scenes: own caption first {figures.scenes_recall_at_1:.1%}, among five "
        f"{figures.scenes_recall_at_5:.1%}; short queries {figures.scenes_precision:.3f}"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
