r"""Coordinate ascent of a factorised q(z | x), document by document, after the encoder's guess.

The bound :math:`E_q[\log p(x,z)] + H(q)` is highest in one factor, the others held, where its
log-odds are the mean of what flipping it is worth,
:math:`l_d = E_{q(z_{-d})}[\log p(x, z_d{=}1, z_{-d}) - \log p(x, z_d{=}0, z_{-d})]` (Saul, Jaakkola
and Jordan, 1996, https://arxiv.org/abs/cs/9603102; amortised starts: Hjelm, Cho, Chung,
Salakhutdinov, Calhoun and Jojic, 2016, https://arxiv.org/abs/1511.06382). All D means come from the
bit flips of a few draws, two products; all factors move at once, by less each step, which is a
natural gradient ascent whose steps fall as Robbins and Monro's do, so that the noise of the draws
is averaged out. Such an ascent ends in the nearest hill. It is begun twice, at the guess and at the
best state that a search finds, and each document keeps what has the highest bound on draws of its
own, a guess whose bits depend on each other among them: its bound does not fall but for the noise
of those draws.

The noise comes from the document alone, so that its q does not depend on the others of a batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from topicfactors.contracts import Target
from topicfactors.divergences import negentropy
from topicfactors.inference.bounds import elbo
from topicfactors.inference.noise import document_noise, streams
from topicfactors.inference.posteriors import MeanField, threshold
from topicfactors.inference.truncated import searched

DRAWS = 4  # of each start, a step
JUDGES = 16  # draws on which the starts are compared
SLOWING = 0.3  # step t moves the log-odds by 1 / (1 + 0.3 t) of the way
SLOWEST = 0.05
SURE = 8.0  # log-odds of the bits of the second start: at 3 its draws already leave the hill
STATES, BREADTH = 64, 4  # of the search for that state
ROUNDS, MOST = 4, 64  # of that search, a step and in all; each has an eighth of a step's products
JUDGING = 10_007  # stream of the random numbers that compare; steps count up from the next


@torch.no_grad()
def refined(target: Target, guess: Any, keys: Tensor, steps: int) -> Any:
    """The guess after so many steps of coordinate ascent: independent bits where that is better.

    Parameters
    ----------
    target
        Log p(x, z) of the documents.
    guess
        Where the ascent begins: its log-odds, or those of its marginals. One that is not
        factorised stays for the documents where no ascent reaches its bound.
    keys
        A hash of each document ``(B,)``, from which its noise is made.
    steps
        Each has two products of (eight draws, documents, words).
    """
    with torch.autocast(keys.device.type, enabled=False):
        start = guess.logits
        begun = MeanField(start, guess.features)
        mode = searched(target, begun, STATES, min(ROUNDS * steps, MOST), BREADTH).best(1)[0][0]
        starts = torch.stack([start, (2 * mode - 1) * SURE])
        candidates = torch.cat([start[None], ascended(target, starts, keys, steps)])
        noise = document_noise(streams(keys, JUDGING), JUDGES, target.factors)
        reached, best = torch.stack([judged(target, one, noise) for one in candidates]).max(0)
        chosen = candidates[best, torch.arange(len(best), device=best.device)]
        if guess.factorised:
            return MeanField(chosen, guess.features)
        own = elbo(target, guess, JUDGES, noise)
    return guess.freed(chosen, reached > own)


@torch.no_grad()
def ascended(target: Target, starts: Tensor, keys: Tensor, steps: int) -> Tensor:
    """Log-odds ``(K, B, D)`` after so many steps from K starts of each document."""
    logits = starts
    for step in range(steps):
        noise = document_noise(streams(keys, JUDGING + 1 + step), DRAWS, target.factors)
        wanted = evidence(target, logits, noise.to(logits.dtype))
        logits = logits.lerp(wanted, pace(step))
    return logits


def pace(step: int) -> float:
    """How far towards the optimum of each factor alone the log-odds go, from 1 to 0.05."""
    return max(SLOWEST, 1 / (1 + SLOWING * step))


@torch.no_grad()
def judged(target: Target, logits: Tensor, noise: Tensor) -> Tensor:
    """The bound of bits with log-odds ``(B, D)`` on draws by ``noise (S, B, D)``, ``(B,)`` nats."""
    bits, _ = threshold(logits, noise.to(logits.dtype))
    return target.log_joint(bits).mean(0) - negentropy(logits)


@torch.no_grad()
def evidence(target: Target, logits: Tensor, noise: Tensor) -> Tensor:
    """What flipping each factor is worth on average, the others drawn from q: ``(K, B, D)`` nats.

    ``logits`` are ``(K, B, D)``; the same ``noise (S, B, D)`` draws S states of each of the K.
    """
    kinds, draws = len(logits), len(noise)
    bits, _ = threshold(logits[:, None], noise[None])
    flips = target.flips(bits.flatten(0, 1))
    return flips.view(kinds, draws, *flips.shape[1:]).mean(1)
