"""Teaches the encoder of a searched posterior to guess what the search found."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Memory
from topicfactors.training.adam import Adam
from topicfactors.training.batches import Batches, Documents
from topicfactors.training.objectives import FactorObjective
from topicfactors.training.trainer import AT_ONCE, Schedule

BATCH = 256  # documents, less where a pass would have under 16 steps
STEPS = 1500  # at most; 16 passes over 24,000 documents
LEARNING_RATE = 1e-2
MOST = 200_000  # documents that are looked at


def distil(
    objective: FactorObjective, documents: Documents, memory: Memory | None, passes: int, seed: int
) -> None:
    """Maximise Σ_z q(z) log q_λ(z | x), q the searched posteriors and q_λ that of the encoder.

    The encoder's bits are independent, so that this is the cross-entropy of its probabilities with
    the marginals of q.

    Parameters
    ----------
    objective
        Its posterior's encoder is trained; nothing else changes.
    documents, memory
        Documents and the states that were found for them; None to look for them now.
    passes
        Over the documents; fewer where that would be more than 1,500 steps.
    seed
        Of the order of the documents, and of which 200,000 are looked at where there are more.
    """
    generator = torch.Generator().manual_seed(seed)
    total = len(documents.counts)
    rows = torch.randperm(total, generator=generator)[:MOST].to(documents.device)
    marginals = _marginals(objective, documents, memory, rows)
    documents = documents.select(rows)
    encoder = [part for part in objective.posterior.parameters() if part.requires_grad]
    batches = Batches(documents, min(BATCH, max(16, len(rows) // 16)), seed)
    passes = max(1, min(passes, STEPS // len(batches)))
    schedule = Schedule(passes, learning_rate=LEARNING_RATE)
    optimizer = Adam(encoder, LEARNING_RATE)
    step, steps = 0, passes * len(batches)
    objective.train()
    try:
        for _ in range(passes):
            for batch in batches:
                for group in optimizer.param_groups:
                    group["lr"] = schedule.learning_rate_at(step / steps)
                guess = objective.posterior.amortised(batch)
                if guess is None:
                    raise ValueError("only a posterior with an encoder can be taught")
                missed = functional.binary_cross_entropy_with_logits(
                    guess.logits, marginals[batch.rows], reduction="sum"
                )
                optimizer.zero_grad(set_to_none=True)
                loss = missed / batch.counts.lengths.sum().clamp_min(1.0)
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(encoder, schedule.clip)
                optimizer.step()
                step += 1
    finally:
        objective.eval()


@torch.no_grad()
def _marginals(
    objective: FactorObjective, documents: Documents, memory: Memory | None, rows: Tensor
) -> Tensor:
    """P(z_d = 1 | x) by the sets of states of the documents ``rows``, ``(R, D)``."""
    objective.eval()
    batches = (documents.batch(part, memory) for part in torch.split(rows, AT_ONCE))
    return torch.cat([objective.condition(batch)[1].mean() for batch in batches])
