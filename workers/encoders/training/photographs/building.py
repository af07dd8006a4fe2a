"""From packages to a model folder, in the order in which one step needs the other."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer

from workers.encoders.training import folder as model_folder
from workers.encoders.training.photographs import recipe as data
from workers.encoders.training.photographs.beginning import begin_as_a_bag_of_words
from workers.encoders.training.photographs.features import crops, drawn, features_of, load_tower
from workers.encoders.training.photographs.heads import Head, make_head
from workers.encoders.training.photographs.learning import DrawnNumbers, Pictures, learn
from workers.encoders.training.photographs.meanings import find_meanings
from workers.encoders.training.photographs.sentences import Reader
from workers.encoders.training.photographs.sources import Sources
from workers.encoders.training.photographs.texts import Corpus, Writer, collect
from workers.encoders.training.photographs.vocabulary import cut_merges, everyday_words, words_in, write_vocabulary
from workers.encoders.training.photographs.wordnet import read_wordnet
from workers.scenes.captions import full_caption, short_queries
from workers.scenes.scene import draw_scenes

Say = Callable[[str], None]
SCENES_IN_COVARIANCE = 600  # drawings are few beside photographs, or whitening would be for drawings


def build(out: Path, sources: Sources, photographs: Sequence[Path], recipe: data.Recipe, say: Say) -> None:
    """Writes the folder `out`. `photographs` say what features look like, never what they show."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    tower = load_tower(sources.tower)
    pictures = see(tower, photographs, recipe, say)
    some = np.concatenate([pictures.photographed, pictures.drawn[:SCENES_IN_COVARIANCE]])
    class_weights = tower.classifier.weight.detach().numpy()
    head = make_head(class_weights, some, data.ABOUT_PHOTOGRAPHS, recipe.sharpness)
    reader = Reader(sources.sentences)
    corpus = read_names(sources, head, reader, say)

    model_folder.write_config(out, data.model_cfg(), data.PREPROCESS_CFG)
    write_vocabulary(out / data.VOCABULARY_FILE, cut_merges(SimpleTokenizer(), _words(corpus, recipe), data.MERGES))
    model = model_folder.new_model(out)
    tokenizer = model_folder.tokenizer(out)
    begin_as_a_bag_of_words(model, tokenizer, corpus)
    numbers = DrawnNumbers(pictures, data.NUMBERS - data.ABOUT_PHOTOGRAPHS)
    seconds = learn(
        model,
        tokenizer,
        head,
        numbers,
        Writer(corpus, recipe.seed),
        pictures,
        recipe,
        report=lambda step, texts, scenes: say(
            f"step {step} of {recipe.steps}: texts {texts:.3f}, scenes {scenes:.3f}"
        ),
    )
    _assemble(model, tower, head, numbers)
    model.logit_scale.data.fill_(np.log(_scale(tower, head, pictures.photographed)))
    card = {"name": data.NAME, "recipe": recipe.as_json(), "photographs": len(photographs)}
    model_folder.finish(out, model, {**card, "texts": len(corpus.targets), "training_seconds": round(seconds)})


def see(tower: Any, photographs: Sequence[Path], recipe: data.Recipe, say: Say) -> Pictures:
    scenes = draw_scenes(recipe.seed, recipe.scenes)
    say(f"looking at {len(photographs)} photographs and {len(scenes)} drawn scenes")
    photographed = features_of(tower, crops(photographs, recipe.crops, recipe.seed))
    return Pictures(scenes, features_of(tower, drawn(scenes, recipe.seed)), photographed)


def read_names(sources: Sources, head: Head, reader: Reader, say: Say) -> Corpus:
    say("reading WordNet")
    wordnet = read_wordnet(sources.wordnet)
    classes = [line.strip().removeprefix("n") for line in sources.classes.read_text().split()]
    common = everyday_words(SimpleTokenizer())
    everyday = {word for word, rank in common.items() if rank < data.EVERYDAY}
    meanings = find_meanings(wordnet, classes, everyday, reader)
    return collect(wordnet, meanings, classes, common, reader, head.classes)


def _words(corpus: Corpus, recipe: data.Recipe) -> Counter[str]:
    """How often each word stands in the texts that training will see."""
    random = Random(recipe.seed)
    texts = Writer(corpus, recipe.seed + 2).write(60_000)[0]
    texts += [full_caption(scene, random).text for scene in draw_scenes(recipe.seed, 4_000)]
    texts += [query.text for query in short_queries()] * 5
    return words_in(SimpleTokenizer(), texts)


def _assemble(model: Any, tower: Any, head: Head, numbers: DrawnNumbers) -> None:
    """Puts the frozen tower and the two parts of its new head into the model."""
    trunk = {name: tensor for name, tensor in tower.state_dict().items() if not name.startswith("classifier.")}
    model.visual.trunk.load_state_dict(trunk)
    weight, bias = numbers.folded()
    with torch.no_grad():
        model.visual.head.proj.weight.copy_(torch.from_numpy(np.concatenate([head.weight, weight])))
        model.visual.head.proj.bias.copy_(torch.from_numpy(np.concatenate([head.bias, bias])))


def _scale(tower: Any, head: Head, features: NDArray[np.float32]) -> float:
    """The factor of the cosine with which the classes' shares agree best with the tower's own."""
    with torch.inference_mode():
        own = tower.classifier(torch.from_numpy(features)).softmax(dim=1)
        seen = torch.nn.functional.normalize(torch.from_numpy(head(features)), dim=1)
        cosines = seen @ torch.from_numpy(head.classes).T
        lost = {scale: -(own * (scale * cosines).log_softmax(dim=1)).sum(1).mean().item() for scale in range(5, 80)}
    return float(min(lost, key=lost.__getitem__))
