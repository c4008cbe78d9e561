"""Which words a photo shows: a linear map of its mean annotation, learnt from captioned photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from captioner.training.data.datasets import DatasetError, Example

STEPS, BATCH = 300, 512
LOWEST, HIGHEST = -6.0, 3.0  # log-odds beyond say no more


class WordProbe:
    """Log-odds of words on a photo.

    A word is on a photo if one of its captions has it. Logistic regression on the standardised mean annotation, with
    AdamW's weight decay; a rare word begins at its frequency.

    Args:
        means: ``(P, D)`` mean annotations of the examples.
        leave_out: words that every caption may have.
        min_frequency: photos that show a word, at least.

    Raises:
        DatasetError: if no word is frequent enough.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        means: Tensor,
        leave_out: frozenset[str],
        *,
        min_frequency: int = 12,
        weight_decay: float = 0.05,
        seed: int = 0,
    ) -> None:
        said = [{word for caption in example.captions for word in caption} - leave_out for example in examples]
        counts = Counter(word for words in said for word in words)
        self.words = tuple(sorted(word for word, count in counts.items() if count >= min_frequency))
        if not self.words:
            raise DatasetError(f"no word is on {min_frequency} photos; a probe needs more captioned photos")
        self.index = {word: place for place, word in enumerate(self.words)}
        present = torch.zeros(len(examples), len(self.words))
        for row, words in enumerate(said):
            present[row, [self.index[word] for word in words if word in self.index]] = 1
        self.mean, self.deviation = means.mean(dim=0), means.std(dim=0) + 1e-3
        self.linear = _fitted((means - self.mean) / self.deviation, present, weight_decay, seed)

    @torch.inference_mode()
    def __call__(self, means: Tensor) -> Tensor:
        """``(N, D)`` mean annotations → ``(N, W)`` log-odds of the words, within −6 … 3."""
        found: Tensor = self.linear((means - self.mean) / self.deviation)
        return found.clamp(LOWEST, HIGHEST)

    def known(self, caption: Sequence[str]) -> list[int]:
        """The places of a caption's words, each once."""
        return sorted({self.index[word] for word in caption if word in self.index})


def _fitted(inputs: Tensor, present: Tensor, weight_decay: float, seed: int) -> nn.Linear:
    random = torch.Generator().manual_seed(seed)
    linear = nn.Linear(inputs.shape[1], present.shape[1])
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.copy_(present.mean(dim=0).clamp(1e-4, 1 - 1e-4).logit())
    optimizer = torch.optim.AdamW(linear.parameters(), lr=1e-3, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        rows = torch.randint(len(inputs), (min(BATCH, len(inputs)),), generator=random)
        logits = linear(nn.functional.dropout(inputs[rows], 0.3))
        loss = binary_cross_entropy_with_logits(logits, present[rows], reduction="none").sum(dim=1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return linear.requires_grad_(False)
