"""Whether two reviewers see the same: Cohen's kappa over flags that two people answered blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive.models import Answer, Policy, Verdict


@dataclass(frozen=True)
class Agreement:
    """Flags by what the first and the second reviewer said."""

    both_uphold: int = 0
    both_dismiss: int = 0
    only_first: int = 0  # the first upheld, the second dismissed
    only_second: int = 0

    @property
    def flags(self) -> int:
        return self.both_uphold + self.both_dismiss + self.only_first + self.only_second

    @property
    def observed(self) -> float | None:
        """The share of flags on which both said the same."""
        return (self.both_uphold + self.both_dismiss) / self.flags if self.flags else None

    @property
    def kappa(self) -> float | None:
        """1 is full agreement, 0 what two people would reach by chance who uphold as often as these do.

        None where chance alone would agree always: then nothing can be said. (Cohen 1960.)
        """
        if self.observed is None:
            return None
        first = (self.both_uphold + self.only_first) / self.flags
        second = (self.both_uphold + self.only_second) / self.flags
        chance = first * second + (1 - first) * (1 - second)
        return None if chance == 1 else (self.observed - chance) / (1 - chance)


def agreement_on(policy: Policy) -> Agreement:
    """Of blind verdicts only: whoever ends a dispute has seen both. The earlier of two is the first."""
    verdicts = Verdict.objects.filter(flag__concept=policy.concept_id, blind=True).order_by("flag", "at", "pk")
    by_flag: dict[int, list[str]] = {}
    for flag, answer in verdicts.values_list("flag", "answer").iterator():
        by_flag.setdefault(flag, []).append(answer)
    return measure([(both[0], both[1]) for both in by_flag.values() if len(both) > 1])


def measure(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """`pairs`: what the first and the second said of each flag."""
    return Agreement(
        both_uphold=pairs.count((Answer.UPHOLD, Answer.UPHOLD)),
        both_dismiss=pairs.count((Answer.DISMISS, Answer.DISMISS)),
        only_first=pairs.count((Answer.UPHOLD, Answer.DISMISS)),
        only_second=pairs.count((Answer.DISMISS, Answer.UPHOLD)),
    )
