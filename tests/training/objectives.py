"""Small objectives and counts for the tests of training."""

import torch

from tests.estimators.planted import model, planted
from topicfactors.corpus.counts import Counts
from topicfactors.estimators import parts
from topicfactors.training.batches import Documents


def objective(factors=3, words=40, seed=0, overlap_penalty=0.0, **options):
    """An objective with its parameters as drawn, and ``b`` at zero."""
    chosen = model(factors, **({"inference": "gumbel-softmax"} | options)).get_params()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = parts.build(parts.choose(chosen, factors), words, factors, overlap_penalty)
        torch.nn.init.normal_(made.joint.decoder.bias, std=0.1)
        for name, weights in made.joint.decoder.named_parameters():
            if name == "raw":
                torch.nn.init.normal_(weights, std=0.3)
    return made


def counts(documents=120, seed=0):
    """Documents of 40 words."""
    made = planted(factors=3, documents=documents, seed=seed)
    return Documents(Counts.from_scipy(made.counts))


def weights_of(made):
    return {name: tensor.clone() for name, tensor in made.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)
