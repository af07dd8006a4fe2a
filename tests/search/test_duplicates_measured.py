"""How good the finding of near-duplicates is, on drawn scenes: `python -m pytest -m slow -s` with this file.

200 scenes, five edited copies of each, and of each the same scene in another colour, which is no copy.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from archive.models import Collection, DuplicatePair, Fingerprint, Likeness, Space
from archive.pdq import from_digits
from search.comparing import compare_new
from search.likeness import SAME_BITS
from tests.alike import EDITS, drawn, make_ready, make_scenes, with_colour
from workers.scenes.vocabulary import COLOURS

SCENES = 200

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(1800)]


def by_pdq_alone() -> list[tuple[int, int]]:
    """Pairs within the advised distance, upright, whatever their colours."""
    rows = list(Fingerprint.objects.order_by("pk").values_list("pk", "pdq"))
    bits = np.array([from_digits(pdq) for _, pdq in rows], dtype=np.float32) * 2 - 1
    apart = (256 - bits @ bits.T) / 2
    return [(rows[i][0], rows[j][0]) for i, j in np.argwhere(np.triu(apart <= SAME_BITS, 1))]


def test_copies_are_found_and_others_are_not(harbour: Collection, drawn_space: Space) -> None:
    dice = Random(1)
    scene_of: dict[int, int] = {}
    edit_of: dict[int, str] = {}
    for number, scene in enumerate(make_scenes(SCENES, seed=31)):
        picture = drawn(scene)
        other = dice.choice([colour for colour in COLOURS if colour != scene.groups[0].colour])
        shown = {"": picture} | {name: edit(picture) for name, edit in EDITS.items()}
        shown["another colour"] = drawn(with_colour(scene, other))
        for name, one in shown.items():
            asset = make_ready(harbour, one, drawn_space)
            scene_of[asset.pk], edit_of[asset.pk] = number, name
    compare_new()
    same = set(DuplicatePair.objects.filter(kind=Likeness.SAME).values_list("low", "high"))
    copies = {pk for pk, name in edit_of.items() if name != "another colour"}
    right = {(low, high) for low, high in same if scene_of[low] == scene_of[high] and {low, high} <= copies}
    originals = {scene_of[pk]: pk for pk, name in edit_of.items() if not name}
    met = Counter(edit_of[pk] for pk in copies if (originals[scene_of[pk]], pk) in right)
    precision, recall = len(right) / len(same), sum(met.values()) / (SCENES * len(EDITS))
    wrong = same - right
    print(f"\nprecision {precision:.3f} ({len(wrong)} of {len(same)} pairs wrong), recall {recall:.3f}; by edit:")
    print({name: met[name] / SCENES for name in EDITS})
    print("wrong:", Counter(tuple(sorted({edit_of[low], edit_of[high]})) for low, high in wrong))
    print("kinds:", Counter(DuplicatePair.objects.values_list("kind", flat=True)))
    alone = by_pdq_alone()
    good = sum(scene_of[low] == scene_of[high] and {low, high} <= copies for low, high in alone)
    print(f"PDQ alone, within {SAME_BITS} bits: precision {good / len(alone):.3f}")
    assert precision > 0.97
    assert recall > 0.95
