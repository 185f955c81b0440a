r"""q(class | x): a linear classifier of the evidence, taught by labels and by the generative model.

Kingma, Rezende, Mohamed and Welling (2014), "Semi-supervised Learning with Deep Generative Models",
https://arxiv.org/abs/1406.5298, add α times the cross-entropy of the labels to a bound in which
q(class | x) explains the documents without one. Here the bound's part is the cross-entropy with the
generative posterior r of those documents, weighted λ, so that q is the maximum of

.. math:: \alpha \sum_{n\,\text{seen}} \log q(y_n \mid x_n)
          + \lambda \sum_{n\,\text{unseen}} \sum_c r_{nc} \log q(c \mid x_n)
          - \tfrac12 \rho \lVert W \rVert^2,

which is convex and found by L-BFGS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor, nn

Array = NDArray[np.float64]

RAREST = 10.0  # times that a document of a rare class counts at most


def even(targets: Array, weights: Array) -> Array:
    """Weights ``(N,)`` under which every class of ``targets (N, C)`` counts alike.

    The ridge would else leave rare classes out. A document of a class counts at most ten times.

    >>> even(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), np.ones(3)).tolist()
    [1.5, 0.75, 0.75]
    """
    masses = weights @ targets
    scales = np.minimum(RAREST, masses.mean() / np.maximum(masses, 1e-12))
    return np.asarray(weights * (targets @ scales))


class Recognition(nn.Module):
    """log q(class | x) = log softmax(W x + a), x the evidence of a document.

    Parameters
    ----------
    words, classes
        V and C.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, words: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(classes, words, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(classes, dtype=torch.float64))

    def log_probabilities(self, evidence: scipy.sparse.csr_matrix) -> Array:
        """Log q of evidence ``(N, V)``, ``(N, C)`` nats."""
        logits = evidence @ self.weight.cpu().numpy().T + self.bias.cpu().numpy()
        return np.asarray(log_softmax(logits, axis=1))

    def teach(
        self,
        evidence: scipy.sparse.csr_matrix,
        targets: Array,
        weights: Array,
        ridge: float,
        *,
        max_iter: int = 30,
        tol: float = 1e-6,
    ) -> None:
        """Maximise the weighted cross-entropy less the ridge.

        Parameters
        ----------
        evidence
            ``(N, V)`` CSR.
        targets
            Class probabilities of every document, ``(N, C)``.
        weights
            How much each document counts, ``(N,)``.
        ridge
            ρ.
        max_iter, tol
            Of L-BFGS: iterations, and the relative progress below which it ends.
        """
        used = np.flatnonzero(weights > 0)
        evidence, targets = evidence[used].astype(np.float64), targets[used]
        share, transposed = weights[used, None], evidence.T.tocsr()
        classes, words = self.weight.shape
        total = float(share.sum())

        def loss(flat: Array) -> tuple[float, Array]:
            table = flat.reshape(classes, words + 1)
            slopes, constants = table[:, :-1], table[:, -1]
            log_q = log_softmax(evidence @ slopes.T + constants, axis=1)
            value = -float((share * targets * log_q).sum()) + 0.5 * ridge * float((slopes**2).sum())
            missed = share * (np.exp(log_q) - targets)
            to_slopes = (transposed @ missed).T + ridge * slopes
            gradient = np.concatenate([to_slopes, missed.sum(0)[:, None]], 1)
            return value / total, gradient.ravel() / total

        start: Any = torch.cat([self.weight, self.bias[:, None]], 1).cpu().numpy().ravel()
        options = {"maxiter": max_iter, "ftol": tol, "gtol": 1e-8}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        table = torch.from_numpy(found.x.reshape(classes, words + 1))
        self.weight.copy_(table[:, :-1])
        self.bias.copy_(table[:, -1])
