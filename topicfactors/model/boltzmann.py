r"""A restricted Boltzmann machine over the factors: which ones come together.

:math:`p(z) = \exp(a^\top z + z_L^\top J z_R - \log Z)` for factors on two sides, L and R, coupled
across and not within. The prior of Rolfe (2017), https://arxiv.org/abs/1609.02200.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Distribution, Draw, Sizes
from topicfactors.divergences import divergence
from topicfactors.errors import ConfigurationError
from topicfactors.model.machine import Machine, Totals, annealed, drawn, summed, swept
from topicfactors.values import number, whole

SUMMED = 20  # units of the smaller side up to which log Z is summed before a score
SETTLING = 50  # sweeps from the chains to draws for others
INSIDE = 1e-3  # nearest to 0 or 1 that a marginal may be where annealing begins


class BoltzmannPrior(nn.Module):
    r"""Coupled bits, :math:`p(z) \propto \exp(a^\top z + z_L^\top J z_R)`.

    J starts at zero, where the bits are independent. The derivative of log Z is that of the exact
    sum over the states of the smaller side where it has at most ``exact`` units, else the negative
    phase of persistent chains (Tieleman, 2008, https://doi.org/10.1145/1390156.1390290), which go
    on whenever a batch of the training is met. Before a score log Z is summed where the smaller
    side has at most 20 units, else annealed; an annealed log Z is too low on average, and flatters
    the score by as much (:meth:`log_partition_spread`).

    Parameters
    ----------
    sizes
        Its ``factors`` is D. Covariates are not read.
    probability
        Starting value of every σ(a_d).
    chains
        Persistent block Gibbs chains.
    sweeps
        Of every chain, a step.
    decay
        Precision of a Gaussian prior on J, in nats a document: ½·decay·ΣJ² is taken from the bound.
    exact
        Units of the smaller side up to which the states are summed in every step, at most 20; 0
        for chains always.
    alternating
        Every second factor is on side R, so that the first two are coupled; otherwise the first
        half of the factors is side L.
    """

    normalised = False
    independent = False
    effects = None
    right: Tensor
    chains: Tensor
    log_z: Tensor
    spread: Tensor
    marginals: Tensor
    known_logits: Tensor
    known_weights: Tensor

    def __init__(
        self,
        sizes: Sizes,
        *,
        probability: float = 0.1,
        chains: int = 1000,
        sweeps: int = 10,
        decay: float = 1e-3,
        exact: int = 10,
        alternating: bool = False,
    ) -> None:
        super().__init__()
        number("probability", probability, 0.0, 1.0, open_ends="low high")
        number("decay", decay)
        for name, value, least in (
            ("chains", chains, 2),
            ("sweeps", sweeps, 1),
            ("exact", exact, 0),
        ):
            whole(name, value, least)
        if exact > SUMMED:
            raise ConfigurationError(f"exact must be at most {SUMMED}, got {exact!r}")
        self.sweeps, self.decay, self.exact = sweeps, decay, exact
        factors, self.steps = sizes.factors, 0
        start = torch.logit(torch.full((factors,), probability, dtype=torch.float64)).float()
        self.logits = nn.Parameter(start)
        self.weights = nn.Parameter(torch.zeros(factors, factors))
        places = torch.arange(factors)
        right = places % 2 == 1 if alternating else places >= (factors + 1) // 2
        self.register_buffer("right", right)
        on = torch.full((chains, factors), float(probability))
        self.register_buffer("chains", drawn(on, self._generator()).bool())
        self.register_buffer("log_z", functional.softplus(start).sum())
        self.register_buffer("spread", torch.zeros(()))
        self.register_buffer("marginals", torch.sigmoid(start))
        self.register_buffer("known_logits", start.clone())
        self.register_buffer("known_weights", torch.zeros(factors, factors))

    def couplings(self) -> Tensor:
        """J as a symmetric ``(D, D)``, zero within a side: what z_e adds to the log-odds of z_d."""
        across = self.right[:, None] != self.right
        return (self.weights + self.weights.t()) * (0.5 * across)

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)`` nats; multilinear in relaxed values."""
        coupled = 0.5 * ((z @ self.couplings()) * z).sum(-1)
        return z @ self.logits + coupled - self.log_partition()

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``: a + Jz, exact."""
        return self.logits + z @ self.couplings()

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ p), ``(B,)``, where q is factorised; else None."""
        if not q.factorised:
            return None
        on = torch.sigmoid(q.logits)
        coupled = 0.5 * ((on @ self.couplings()) * on).sum(-1)
        return divergence(q.logits, self.logits) + self._excess() - coupled

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        r"""KL(q ‖ p) along a draw of a posterior in groups, ``(S, B)``; Rolfe (2017).

        The mean over draws is the divergence, and the mean of the derivative its derivative, where
        q is reparameterised by values that are zero when the bit is off and begin at zero when it
        is on (the spike and exponential of dvae): with i in an earlier group than j,
        :math:`\partial E[z_i z_j] = E[z_i \partial q_j + \frac{1-z_i}{1-q_i} q_j \partial q_i]`,
        ∂q total, through the values before. Within a group :math:`q_i q_j` is exact.
        """
        groups = getattr(q, "groups", torch.zeros_like(self.right, dtype=torch.long))
        couplings, logits, bits = self.couplings(), draw.logits, draw.bits.detach()
        on = torch.sigmoid(logits)
        within = couplings * (groups[:, None] == groups)
        later = couplings * (groups[:, None] < groups)  # from i, earlier, to j
        found = 0.5 * ((on @ within) * on).sum(-1) + ((bits @ later) * on).sum(-1)
        fixed = on.detach()
        edge = (1 - bits) * fixed * (fixed @ later.detach().t())  # times ∂l: (1 − q)q ∂l is ∂q
        found = found + (edge * (logits - logits.detach())).sum(-1)
        return divergence(logits, self.logits) + self._excess() - found

    def condition(self, covariates: Tensor | None) -> BoltzmannPrior:
        """Itself; the chains go on where it learns, and log Z is brought up to date elsewhere."""
        if not self._sums():
            if not self.training:
                self.refresh()
            elif torch.is_grad_enabled():
                self.advance()
        return self

    def log_partition(self) -> Tensor:
        """Log Z, a scalar in nats; with the derivative of the sum or of the chains."""
        machine = self._machine()
        if self._sums():
            return machine.log_partition()
        if not torch.is_grad_enabled():
            return self.log_z.clone()
        small, _ = self._sides()
        phase = machine.summed(self.chains[:, small].to(self.logits.dtype)).mean()
        return self.log_z.clone() + (phase - phase.detach())

    def log_partition_spread(self) -> Tensor:
        """Standard error of the annealed log Z, a scalar in nats; zero where it is summed."""
        self.refresh()
        return self.spread.clone()

    @torch.no_grad()
    def advance(self) -> None:
        """Let the chains go on, and log Z follow: by their weights under the new parameters."""
        with torch.autocast(self.logits.device.type, enabled=False):
            machine = self._machine()
            before = self._machine_of(self.known_logits, self.known_weights)
            places = self._sides()
            state = self.chains[:, places[0]].to(self.logits.dtype)
            change = machine.summed(state) - before.summed(state)
            self.log_z += change.logsumexp(0) - torch.log(change.new_tensor(len(change)))
            self._note_parameters()
            self.spread.fill_(torch.nan)  # no score
            for place, side in zip(
                places, swept(machine, state, self.sweeps, self._generator()), strict=True
            ):
                self.chains[:, place] = side.bool()

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring log Z and the marginals up to date with the parameters."""
        if self._is_known():
            return
        with torch.autocast(self.logits.device.type, enabled=False):
            machine, (small, large) = self._machine(), self._sides()
            totals = summed(machine) if len(small) <= SUMMED else self._annealed(machine)
        self.log_z.copy_(totals.log_z)
        self.spread.copy_(totals.spread)
        self.marginals[small], self.marginals[large] = totals.small, totals.large
        self._note_parameters()

    @torch.no_grad()
    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``: exact where the smaller side is summed, else from the chains."""
        machine, (small, large), count = self._machine(), self._sides(), samples * documents
        bits = self.logits.new_empty(count, len(self.logits))
        if self._sums():
            states = machine.states()
            chosen = torch.multinomial(machine.summed(states).softmax(0), count, replacement=True)
            bits[:, small] = states[chosen]
            bits[:, large] = drawn(machine.large_given(bits[:, small]))
        else:
            chosen = torch.randint(len(self.chains), (count,), device=bits.device)
            state = self.chains[chosen][:, small].to(bits.dtype)
            bits[:, small], bits[:, large] = swept(machine, state, SETTLING)
        return bits.view(samples, documents, -1)

    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)``: exact where log Z is."""
        self.refresh()
        return self.marginals.clone()

    def penalty(self) -> Tensor:
        """½·decay·ΣJ², a scalar in nats a document."""
        return 0.25 * self.decay * self.couplings().square().sum()  # each is there twice

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d; where ``flipped``, off becomes on.

        The distribution stays the same, its chains too; of factors that are dropped it becomes that
        given that they are off.
        """
        known = self._is_known() and len(order) == len(self.logits)
        couplings, turned = self.couplings(), flipped.to(self.logits.dtype)
        sign, moved = 1 - 2 * turned, couplings @ turned
        offset = (self.logits + 0.5 * moved) @ turned
        self.logits.data = (sign * (self.logits + moved))[order]
        self.weights.data = (sign[:, None] * couplings * sign)[order][:, order]
        self.right = self.right[order]
        self.marginals = torch.where(flipped, 1 - self.marginals, self.marginals)[order]
        self.chains = _without(self.chains ^ flipped, order)
        self.log_z -= offset
        self._note_parameters()
        if not known:
            self.spread.fill_(torch.nan)

    def _sums(self) -> bool:
        return min(len(side) for side in self._sides()) <= self.exact

    def _sides(self) -> tuple[Tensor, Tensor]:
        """The factors of the smaller side, and those of the larger."""
        left, right = (~self.right).nonzero()[:, 0], self.right.nonzero()[:, 0]
        return (left, right) if len(left) < len(right) else (right, left)

    def _machine(self) -> Machine:
        return self._machine_of(self.logits, self.weights)

    def _machine_of(self, logits: Tensor, weights: Tensor) -> Machine:
        small, large = self._sides()
        across = (weights + weights.t()) / 2
        return Machine(logits[small], logits[large], across[small][:, large])

    def _annealed(self, machine: Machine) -> Totals:
        """From independent bits with the marginals of the chains."""
        on = self.chains.to(self.logits.dtype).mean(0).clamp(INSIDE, 1 - INSIDE)
        small, large = (torch.logit(on[side]) for side in self._sides())
        start = Machine(small, large, torch.zeros_like(machine.weights))
        numbers = torch.Generator(self.logits.device).manual_seed(0)  # the same when it is loaded
        return annealed(machine, start, numbers)

    def _excess(self) -> Tensor:
        """Log Z less that of independent bits, a scalar; zero where J is."""
        return self.log_partition() - functional.softplus(self.logits).sum()

    def _is_known(self) -> bool:
        same = torch.equal(self.known_logits, self.logits)
        return same and torch.equal(self.known_weights, self.weights) and not self.spread.isnan()

    def _note_parameters(self) -> None:
        self.known_logits = self.logits.detach().clone()
        self.known_weights = self.weights.detach().clone()

    def _generator(self) -> torch.Generator:
        """Numbers of its own, so that a model without couplings draws what it always did."""
        self.steps += 1
        device = self.logits.device
        return torch.Generator(device).manual_seed(self.steps)


def _without(chains: Tensor, order: Tensor) -> Tensor:
    """Chains ``(C, D)`` of the factors in this order, from those that have the others off."""
    dropped = torch.ones(chains.shape[1], dtype=torch.bool, device=chains.device)
    dropped[order] = False
    left = chains[~(chains & dropped).any(1)]
    found = (left if len(left) else chains)[:, order]
    return found[torch.arange(len(chains), device=chains.device) % len(found)]
