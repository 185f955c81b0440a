r"""Rao-Blackwellised score function: the most probable states summed, the rest sampled.

Liu, Regier, Tripuraneni, Jordan and McAuliffe (2019), https://arxiv.org/abs/1810.04777. With C the
k most probable states under q the estimate is
:math:`\sum_{z \in C} (f(z) - c)\,\partial q(z) + q(\bar C)\,(f(z') - c)\,\partial\log q(z')`, with
z' drawn from q outside of C. The baseline c is the mean of f over C weighted by q, which costs
nothing. k evaluations and one for every sample a step. Unbiased; its variance is that of the rest
alone, and there is none when C holds everything. For few factors or confident posteriors; where
thousands of states share the mass it is a score function like others, and rloo has the better
baseline. Needs a factorised posterior, whose best states can be found and left out exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.scores import log_prob, slope
from topicfactors.values import whole


class RaoBlackwell(Gradient):
    """The k most probable states exactly, and samples of the others.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document from the states that are not summed.
    states
        Most probable states k that are summed.
    """

    unbiased = True
    learning_rate = 1e-2
    factorised = True

    def __init__(self, sizes: Sizes, *, samples: int = 1, states: int = 4) -> None:
        super().__init__(sizes, samples=samples)
        whole("states", states, 1)
        self.states = states

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Every state counts by what it stands for, for the decoder and for the encoder."""
        logits, kl = q.logits.detach(), target.kl(q)
        likely = most_probable(logits, self.states)
        others, left = outside(logits, likely, self.samples)
        bits, count = torch.cat([likely, others]), len(likely)
        log_q = log_prob(bits, q.logits).sum(-1)  # (k + S, B)
        each = (left / self.samples).expand(self.samples, -1)
        share = torch.cat([log_q[:count].detach().exp(), each])  # of q; they sum to one
        signal = full = target.log_likelihood(bits)
        if kl is None:
            ratio = target.log_prior(bits) - log_q.detach()
            signal, full, kl = signal + kl_weight * ratio, full + ratio, signal.new_zeros(())
        baseline = (log_q[:count].softmax(0) * signal[:count]).sum(0)
        learnt = slope((share * (signal - baseline).detach() * log_q).sum(0))
        loss = kl_weight * kl - (share * signal).sum(0) - learnt
        return Surrogate(loss, ((share * full).sum(0) - kl).detach())


def most_probable(logits: Tensor, count: int) -> Tensor:
    """The ``count`` most probable states of independent bits ``(B, D)``, ``(count or 2^D, B, D)``.

    A state is the mode with some bits turned around, each at the price of its abs(logit). In
    order of price, the bit at place r can be in one of the k best only if r < k − 1.

    >>> most_probable(torch.tensor([[2.0, -0.5]]), 3)[:, 0]
    tensor([[1., 0.],
            [1., 1.],
            [0., 0.]])
    """
    prices, order = logits.abs().sort(-1)
    turned = torch.zeros_like(logits, dtype=torch.bool)[:, None]  # (B, n, D) in order of price
    total = logits.new_zeros(len(logits), 1)
    for place in range(min(count - 1, logits.shape[1])):
        more = turned.clone()
        more[..., place] = True
        total = torch.cat([total, total + prices[:, place, None]], 1)
        turned = torch.cat([turned, more], 1)
        total, kept = total.topk(min(count, total.shape[1]), 1, largest=False)
        turned = turned.gather(1, kept[..., None].expand(-1, -1, logits.shape[1]))
    back = order.argsort(-1)[:, None].expand_as(turned)
    return (turned.gather(2, back) ^ (logits > 0)[:, None]).to(logits.dtype).transpose(0, 1)


def outside(logits: Tensor, known: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Draws of independent bits ``(B, D)`` among all states but ``known (k, B, D)``.

    Exact, bit after bit: a bit's weight is the probability of what begins so, less that of the
    known states that do. Gives the draws ``(S, B, D)`` and the probability of all such states
    ``(B,)``; where that is zero, the draws mean nothing.
    """
    wide = (logits.cpu() if logits.device.type == "mps" else logits).double()  # differences of 1
    on, states = torch.sigmoid(wide), known.to(wide)
    each = torch.where(states > 0, on, torch.sigmoid(-wide))
    tails = torch.cat([each.flip(-1).cumprod(-1).flip(-1), torch.ones_like(each[..., :1])], -1)
    alive, drawn = torch.ones_like(each[..., 0]).expand(samples, -1, -1), []
    for place in range(wide.shape[1]):
        mass, value = alive * tails[..., place + 1], states[..., place]  # (S, k, B), (k, B)
        lit = on[:, place] * (1 - (mass * value).sum(1)).clamp_min(0.0)
        dark = torch.sigmoid(-wide[:, place]) * (1 - (mass * (1 - value)).sum(1)).clamp_min(0.0)
        bit = (torch.rand_like(lit) * (lit + dark) < lit).to(wide)
        alive = alive * (value == bit[:, None])
        drawn.append(bit)
    left = (1 - tails[..., 0].sum(0)).clamp_min(0.0)
    return torch.stack(drawn, -1).to(logits), left.to(logits)
