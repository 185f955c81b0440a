"""A training that is stopped between two steps, and goes on, ends in the same bits."""

import copy

import pytest
import torch

from tests.training.objectives import counts, objective
from topicfactors.training.trainer import Schedule, Trainer

LONG = Schedule(epochs=6, batch_size=16, learning_rate=1e-2, kl_warmup=0.2)
INFERENCES = ["truncated", "gumbel-softmax", "nvil", "vimco", "dvae", "local-expectation"]


class Stop:
    """Notes the state after so many steps and ends the training there."""

    def __init__(self, after):
        self.after, self.made, self.state = after, 0, None

    def begun(self, trainer):
        pass

    def stepped(self, trainer):
        self.made += 1
        if self.made == self.after:
            self.state = copy.deepcopy(trainer.state_dict())
            raise StopIteration

    def __call__(self, epoch):
        pass

    def ended(self, trainer):
        pass


class GoOn(Stop):
    """Puts a state back."""

    def __init__(self, state):
        self.state = state

    def begun(self, trainer):
        trainer.load_state_dict(self.state)

    def stepped(self, trainer):
        pass


@pytest.mark.parametrize("inference", INFERENCES)
@pytest.mark.parametrize("steps", [17, 20])  # amid an epoch, and at the last step of one
def test_stopped_and_resumed_is_the_same_bit_for_bit(inference, steps):
    documents, watched = counts(160), counts(40, seed=1)

    def made():
        torch.manual_seed(3)
        return objective(inference=inference)

    whole = made()
    history = Trainer(whole, LONG, 5).fit(documents, watched)
    first, stop = made(), Stop(steps)
    Trainer(first, LONG, 5, [stop]).fit(documents, watched)
    second = made()
    torch.manual_seed(99)  # what was drawn before does not matter
    resumed = Trainer(second, LONG, 5, [GoOn(stop.state)]).fit(documents, watched)
    assert [epoch[:-1] for epoch in resumed.epochs] == [epoch[:-1] for epoch in history.epochs]
    assert resumed.best == history.best
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, second.state_dict()[name]), name
