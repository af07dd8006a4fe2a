"""What an adapted space finds beside its parent, as a sentence for people. `workers.adapting` measures it."""

from typing import Any


def in_words(gain: dict[str, Any]) -> str:
    """Why a space that gains nothing is not used, with what was measured and what to do."""
    parent, adapted, by = gain["parent"], gain["adapted"], gain["difference"]
    return (
        f"The adapter gains nothing on {gain['captions']} captions that it was not trained on: the right picture comes "
        f"first for {adapted['R@1']:.1%} of them (without it {parent['R@1']:.1%}), among the first five for "
        f"{adapted['R@5']:.1%} ({parent['R@5']:.1%}), and the mean reciprocal rank changes by {by['MRR']:+.3f} "
        f"(95 % sure: {by['low']:+.3f} to {by['high']:+.3f}). More captions, or captions that say what is to be seen, "
        f"may change that; --even-if-worse takes it as it is."
    )
