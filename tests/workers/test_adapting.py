"""Adapting to an archive's own captions: Dutch ones, which the shipped model never met, and ones that say nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from random import Random
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from archive.models import Asset, Collection, Space, SpaceState, Step, Tag, TagState, Work, WorkState
from archive.spaces import GainsNothing, activate, coverage
from archive.tags import add_tags, get_concepts
from archive.vectors import asset_vectors
from tests.prepared import make_encoded
from workers.adapting.captions import TooFewCaptions, captioned_assets, part
from workers.adapting.gain import figures, ranks
from workers.adapting.space import CannotAdapt, adapt_space
from workers.encoders.adapter_recipe import LOSSES, Recipe
from workers.encoders.load import encoder_of, open_encoder
from workers.encoders.protocol import Vectors
from workers.scenes.captions import full_caption
from workers.scenes.drawing import draw
from workers.scenes.dutch import dutch_caption
from workers.scenes.sample import THEMES, themed_scene
from workers.spaces import make_space

pytestmark = pytest.mark.django_db

COUNT = 300
HELD_OUT = 60
# Fewer and longer steps than people's archives get.
HASTY = Recipe(learning_rate=1e-2, most_steps=120)


@dataclass
class Drawn:
    vectors: Vectors
    dutch: list[str]
    english: list[str]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Scenes as the sample has them, seen by the shipped model, with what a Dutch archive would write under them."""
    random = Random(11)
    scenes = [themed_scene(THEMES[number % len(THEMES)], random) for number in range(COUNT)]
    encoder = open_encoder("shipped:drawn-scenes")
    vectors = encoder.encode_pictures([encoder.prepare(draw(scene, 300, 200)) for scene in scenes])
    return Drawn(
        vectors,
        [dutch_caption(scene, random) for scene in scenes],
        [full_caption(scene, random).text for scene in scenes],
    )


def fill(collection: Collection, space: Space, vectors: Vectors, captions: Sequence[str]) -> list[Asset]:
    """Assets with stored vectors and captions, and no file at all: there is nothing that could be encoded again."""
    assets = make_encoded(collection, space, vectors)
    for asset, caption in zip(assets, captions, strict=True):
        asset.caption = caption
    Asset.objects.bulk_update(assets, ["caption"])
    done: dict[str, Any] = {"state": WorkState.DONE}
    Work.objects.bulk_create(Work(asset=asset, step=Step.PREPARE, **done) for asset in assets)
    Work.objects.bulk_create(Work(asset=asset, step=Step.ENCODE, target=space.slug, **done) for asset in assets)
    return assets


def quiet(line: str) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("loss", LOSSES)
def test_captions_in_a_language_that_the_model_never_met_become_searchable(
    harbour: Collection, drawn_space: Space, drawn: Drawn, loss: str
) -> None:
    assets = fill(harbour, drawn_space, drawn.vectors, drawn.dutch)
    space = adapt_space("dutch", recipe=replace(HASTY, loss=loss), say=quiet)
    gain = space.gain
    assert (gain["loss"], gain["gains"]) == (loss, True)
    assert HELD_OUT - 8 <= gain["captions"] <= gain["pictures"] <= HELD_OUT + 8
    assert gain["parent"]["R@5"] < 0.3
    assert gain["adapted"]["R@5"] > gain["parent"]["R@5"] + 0.25
    assert (space.state, space.parent, coverage(space).share) == (SpaceState.BUILDING, drawn_space, 1)
    assert (space.dimensions, space.logit_bias is None) == (drawn_space.dimensions, loss == "softmax")
    assert encoder_of(space).identity.fingerprint == space.fingerprint
    activate(space)
    assert Space.objects.active() == space
    # What the model understood before, it mostly understands after.
    english = [recall(one, assets, drawn.english) for one in (drawn_space, space)]
    assert english[1] > 0.8 * english[0] > 0.75


def recall(space: Space, assets: Sequence[Asset], texts: list[str]) -> float:
    """R@5 over all pictures, with what is stored."""
    vectors = asset_vectors(space, [asset.pk for asset in assets])
    rows = np.stack([vectors[asset.pk] for asset in assets])
    return figures(ranks(encoder_of(space).encode_texts(texts), rows, np.arange(len(texts)))).recall_at_5


def test_captions_that_say_nothing_are_refused_with_the_figures_and_nothing_is_made(
    harbour: Collection, drawn_space: Space, drawn: Drawn
) -> None:
    fill(harbour, drawn_space, drawn.vectors, Random(4).sample(drawn.dutch, COUNT))
    with pytest.raises(GainsNothing, match=r"gains nothing on \d+ captions .*first for \d+\.\d% of them") as refused:
        adapt_space("noise", recipe=HASTY, say=quiet)
    assert refused.value.gain["gains"] is False
    assert refused.value.gain["difference"]["low"] <= 0
    assert list(Space.objects.all()) == [drawn_space]


def test_who_insists_gets_the_space_but_activating_it_needs_insisting_again(
    harbour: Collection, drawn_space: Space, drawn: Drawn
) -> None:
    fill(harbour, drawn_space, drawn.vectors[:80], Random(4).sample(drawn.dutch, 80))
    space = adapt_space("noise", recipe=HASTY, even_if_worse=True, say=quiet)
    assert coverage(space).share == 1
    with pytest.raises(GainsNothing, match="gains nothing"):
        activate(space)
    with pytest.raises(CommandError, match="--even-if-worse takes it as it is"):
        call_command("space", "activate", "noise")
    assert Space.objects.active() == drawn_space
    call_command("space", "activate", "noise", "--even-if-worse", stdout=StringIO())
    assert Space.objects.active() == space


def test_the_command_prints_a_table_or_json(harbour: Collection, drawn_space: Space, drawn: Drawn) -> None:
    fill(harbour, drawn_space, drawn.vectors[:80], drawn.dutch[:80])
    out = StringIO()
    call_command("space", "adapt", "dutch", "--even-if-worse", "--json", stdout=out, stderr=StringIO())
    report = json.loads(out.getvalue())
    assert (report["space"], report["parent"], report["done"], report["total"]) == ("dutch", "drawn-scenes", 80, 80)
    assert set(report["gain"]["adapted"]) == {"R@1", "R@5", "MRR"}
    Space.objects.filter(slug="dutch").update(state=SpaceState.READY)
    out = StringIO()
    call_command(
        "space",
        "adapt",
        "again",
        "--parent",
        "dutch",
        *("--even-if-worse", "--loss", "sigmoid", "--keep", "3"),
        stdout=out,
        stderr=StringIO(),
    )
    again = Space.objects.get(slug="again")
    assert again.parent == drawn_space  # adapters do not stack
    assert (again.gain["loss"], again.gain["keep"]) == ("sigmoid", 3)
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["held-out", "captions", "drawn-scenes", "again"]
    assert [line.split()[0] for line in lines[1:4]] == ["R@1", "R@5", "MRR"]
    assert lines[-1].endswith("manage.py space activate again")


def test_too_few_captions_are_refused_and_counted(harbour: Collection, drawn_space: Space, drawn: Drawn) -> None:
    fill(harbour, drawn_space, drawn.vectors[:100], ["a boat", "A  Boat", "the sea", ""] * 25)
    with pytest.raises(TooFewCaptions, match="Only 2 different captions"):
        adapt_space("dutch", say=quiet)


def test_what_cannot_work_is_refused_before_minutes_are_spent(harbour: Collection, drawn_space: Space) -> None:
    with pytest.raises(CannotAdapt, match="There is a space 'drawn-scenes' already"):
        adapt_space("drawn-scenes", say=quiet)
    make_space("next", "fake")
    with pytest.raises(CannotAdapt, match="next is being filled"):
        adapt_space("dutch", say=quiet)
    Space.objects.all().delete()
    with pytest.raises(CannotAdapt, match="No space is searched yet"):
        adapt_space("dutch", say=quiet)


def test_titles_stand_in_for_captions_and_each_content_counts_once(
    harbour: Collection, drawn_space: Space, drawn: Drawn
) -> None:
    assets = fill(harbour, drawn_space, drawn.vectors[:80], drawn.dutch[:80])
    Asset.objects.filter(pk=assets[0].pk).update(caption="", title="Vuurtoren")
    Asset.objects.filter(pk=assets[1].pk).update(trashed_at="2026-01-01T00:00:00Z")
    elsewhere = Collection.objects.create(slug="elsewhere", name="Elsewhere", owner=harbour.owner)
    Asset.objects.filter(pk=assets[2].pk).update(collection=elsewhere, sha256=assets[3].sha256)
    pairs = captioned_assets(drawn_space, encoder_of(drawn_space))
    assert len(pairs.groups) == 78
    title = encoder_of(drawn_space).encode_texts(["Vuurtoren"])[0]
    row = int((pairs.texts @ title).argmax())
    assert pairs.texts[row] @ title > 0.999
    assert pairs.pictures[row] @ drawn.vectors[0] > 0.999


def test_equal_captions_fall_into_one_part(harbour: Collection, drawn_space: Space, drawn: Drawn) -> None:
    captions = [drawn.dutch[number % 60] for number in range(180)]
    captions[7] = f"  {captions[7].upper()} "
    fill(harbour, drawn_space, drawn.vectors[:180], captions)
    pairs = captioned_assets(drawn_space, encoder_of(drawn_space))
    parts = part(pairs)
    groups = [set(one.groups.tolist()) for one in (parts.trained, parts.validated, parts.held_out)]
    assert [len(one) for one in groups] == [42, 6, 12]
    assert len(set.union(*groups)) == 60
    assert sum(len(one.groups) for one in (parts.trained, parts.validated, parts.held_out)) == 180


def test_accepted_tags_are_further_texts_and_stand_in_for_captions_where_there_are_none(
    harbour: Collection, drawn_space: Space, drawn: Drawn
) -> None:
    assets = fill(harbour, drawn_space, drawn.vectors[:80], [*drawn.dutch[:78], "", ""])
    add_tags(Asset.objects.filter(pk__in=[assets[0].pk, assets[78].pk]), ["zee", "Boot"], harbour.owner)
    Tag.objects.create(asset=assets[79], concept=get_concepts(["mist"], harbour.owner)[0], state=TagState.PROPOSED)
    pairs = captioned_assets(drawn_space, encoder_of(drawn_space))
    assert len(pairs.groups) == 80  # 78 captions, and the tags of two; what is only proposed says nothing
    said = encoder_of(drawn_space).encode_texts(["Boot, zee"])[0]
    rows = np.flatnonzero(pairs.texts @ said > 0.999)
    stored = asset_vectors(drawn_space, [assets[0].pk, assets[78].pk])
    assert (pairs.pictures[sorted(rows, reverse=True)] == [stored[assets[0].pk], stored[assets[78].pk]]).all()
    alone, beside = sorted(rows)
    assert pairs.words[alone] == pairs.words[beside] == pairs.groups[alone] != pairs.groups[beside]
    parts = part(pairs)
    judged = (parts.validated, parts.held_out)
    assert all((one.words == one.groups).all() for one in judged)
    assert not set(parts.trained.groups) & {group for one in judged for group in one.groups}
    assert len(pairs.of_captions().groups) == 79
