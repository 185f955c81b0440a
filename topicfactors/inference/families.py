"""Every family of posteriors, by the name that users give."""

from __future__ import annotations

from topicfactors.inference.autoregressive import AutoregressivePosterior
from topicfactors.inference.free import FreePosterior
from topicfactors.inference.posteriors import EnumeratedPosterior, MeanFieldPosterior, Posterior
from topicfactors.inference.truncated import TruncatedPosterior

POSTERIORS: dict[str, type[Posterior]] = {
    "autoregressive": AutoregressivePosterior,
    "enumerated": EnumeratedPosterior,
    "free": FreePosterior,
    "mean-field": MeanFieldPosterior,
    "truncated": TruncatedPosterior,
}
