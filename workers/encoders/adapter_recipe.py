"""How an adapter is trained, as data. No torch here."""

from dataclasses import dataclass

LOSSES = ("softmax", "sigmoid")


@dataclass(frozen=True)
class Recipe:
    """`keep` is what it costs to turn what the model understands already; 0 lets it forget all that."""

    loss: str = LOSSES[0]
    keep: float = 100.0  # docs/adapters.md: what other values gain and lose
    rank: int = 64
    batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    most_steps: int = 2000
    look_every: int = 20
    patience: int = 10  # looks without a better one, then it ends
    seed: int = 0
