"""Train with `python -m workers.encoders.training --out FOLDER`, measure with `--evaluate FOLDER`."""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from workers.encoders.training import folder as model_folder
from workers.encoders.training.evaluation import Figures, evaluate
from workers.encoders.training.learning import learn
from workers.encoders.training.recipe import Recipe
from workers.encoders.training.renders import render
from workers.scenes.scene import draw_scenes


def main() -> None:
    options = _options()
    if options.out:
        defaults = Recipe()
        recipe = Recipe(
            scenes=options.scenes or defaults.scenes,
            steps=options.steps or defaults.steps,
            seed=defaults.seed if options.seed is None else options.seed,
            threads=options.threads or defaults.threads,
        )
        train(options.out, recipe)
    figures = evaluate(options.evaluate or options.out)
    if options.out:
        card = model_folder.read_card(options.out)
        model_folder.write_card(options.out, {**card, "figures": asdict(figures)})
    _print(figures, as_json=options.json)


def train(out: Path, recipe: Recipe) -> None:
    """Draws the training set, trains on it, and writes the folder `out`."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    model_folder.begin(out)
    scenes = draw_scenes(recipe.seed, recipe.scenes)
    model = model_folder.new_model(out)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "renders.npy"
        pixels = render(scenes, file, recipe.seed, lambda done: _say(f"drawn {done} scenes"))
        seconds = learn(
            model,
            model_folder.tokenizer(out),
            scenes,
            pixels,
            recipe,
            report=lambda step, loss: _say(f"step {step} of {recipe.steps}: loss {loss:.3f}"),
        )
    card = {"name": "drawn-scenes", "data": "scenes drawn by workers/scenes", "recipe": recipe.as_json()}
    model_folder.finish(out, model, {**card, "training_seconds": round(seconds)})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.encoders.training", description=__doc__)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--out", type=Path, help="train and write the model into this folder")
    task.add_argument("--evaluate", type=Path, help="measure the model in this folder")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--scenes", type=int, help="number of training scenes")
    parser.add_argument("--steps", type=int, help="number of training steps")
    parser.add_argument("--seed", type=int, help="seed of scenes, captions and weights")
    parser.add_argument("--threads", type=int, help="threads of torch")
    return parser.parse_args()


def _print(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        _say(json.dumps(asdict(figures), indent=2))
        return
    _say(f"{figures.scenes} held-out scenes, drawn with a shorter side of {figures.shorter_side} pixels")
    _say(f"full captions: own scene first {figures.recall_at_1:.1%}, among five {figures.recall_at_5:.1%}")
    _say(f"{figures.queries} short queries: mean average precision {figures.mean_average_precision:.3f}")
    for kind, value in figures.by_kind.items():
        _say(f"    {kind}: {value:.3f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
