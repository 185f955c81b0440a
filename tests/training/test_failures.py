"""What the loop does when something breaks, and when somebody ends it."""

import math

import pytest
import torch

from tests.training.objectives import counts, objective, same, weights_of
from topicfactors.errors import FitError
from topicfactors.training.trainer import Schedule, Trainer

QUICK = Schedule(epochs=6, batch_size=20, learning_rate=1e-2)


def poison(made, number):
    def callback(epoch):
        if epoch.number == number:
            next(iter(made.joint.decoder.parameters())).data.view(-1)[3] = math.nan

    return callback


@pytest.mark.parametrize("watched", [None, counts(30, seed=1)], ids=["all", "held-out"])
@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax", "nvil", "local-expectation"])
def test_what_is_not_finite_is_named_and_the_last_good_weights_are_put_back(inference, watched):
    made, kept = objective(inference=inference), []
    keep = [lambda epoch: kept.append(weights_of(made)), poison(made, 2)]
    history = Trainer(made, QUICK, 0, keep).fit(counts(), watched)
    assert history.fault == history.stopped
    assert "the loss was not finite at step 1 of epoch 3; the weights of epoch 2 are kept" in (
        history.fault
    )
    assert "try a learning rate below 0.01" in history.fault
    assert history.best == len(history.epochs) == 2
    assert same(weights_of(made), kept[1])


@pytest.mark.parametrize("rate", [1e25, 1e30])
def test_an_absurd_learning_rate_is_named(rate):
    made = objective()
    before = weights_of(made)
    schedule = Schedule(epochs=3, batch_size=20, learning_rate=rate)
    with pytest.raises(FitError, match=r"step [1-6] of epoch 1, before any epoch was complete; "):
        Trainer(made, schedule, 0).fit(counts(), None)
    assert same(weights_of(made), before)


def test_a_last_step_that_breaks_the_weights_is_noticed():
    made = objective()
    schedule = Schedule(epochs=2, batch_size=500, learning_rate=1e30, constant=True, kl_warmup=0)
    with pytest.raises(FitError, match="bound was not finite after step 1 of epoch 1"):
        Trainer(made, schedule, 0).fit(counts(), None)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights_of(made).values())


def test_weights_from_before_are_kept_where_they_are_worth_it():
    made = objective()
    before = weights_of(made)
    schedule = Schedule(epochs=3, batch_size=20, learning_rate=1e30)
    history = Trainer(made, schedule, 0).fit(counts(), None, trained=True)
    assert "; the weights from before are kept; try a learning rate below 1e+30" in history.fault
    assert history.epochs == []
    assert same(weights_of(made), before)


def raise_at(number, error):
    def callback(epoch):
        if epoch.number == number:
            raise error

    return callback


def test_an_interruption_is_kept_in_the_history():
    made, interruption, kept = objective(), KeyboardInterrupt(), []
    keep = [lambda epoch: kept.append(weights_of(made)), raise_at(3, interruption)]
    history = Trainer(made, QUICK, 0, keep).fit(counts(), None)
    assert history.interruption is interruption
    assert history.stopped == "interrupted"
    assert history.best == len(history.epochs) == 3
    assert same(weights_of(made), kept[2])


def test_an_interruption_within_an_epoch_leaves_the_last_whole_one():
    made, kept, steps = objective(), [], []
    forward = made.forward

    def interrupted(batch, kl_weight=1.0):
        steps.append(1)
        if len(steps) == 6 + 3:
            raise KeyboardInterrupt
        return forward(batch, kl_weight)

    made.forward = interrupted
    history = Trainer(made, QUICK, 0, [lambda epoch: kept.append(weights_of(made))]).fit(
        counts(), None
    )
    assert history.best == len(history.epochs) == 1
    assert same(weights_of(made), kept[0])


def test_an_interruption_of_the_first_epoch_leaves_what_was_learnt():
    made, steps = objective(), []
    before, forward = weights_of(made), made.forward

    def interrupted(batch, kl_weight=1.0):
        steps.append(1)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return forward(batch, kl_weight)

    made.forward = interrupted
    history = Trainer(made, QUICK, 0).fit(counts(), None)
    assert (history.best, history.epochs, history.stopped) == (0, [], "interrupted")
    assert not same(weights_of(made), before)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights_of(made).values())


@pytest.mark.parametrize(
    ("error", "reason"),
    [(StopIteration(), "a callback asked to stop"), (StopIteration("time is up"), "time is up")],
)
def test_a_callback_may_end_training(error, reason):
    history = Trainer(objective(), QUICK, 0, [raise_at(2, error)]).fit(counts(), None)
    assert (history.stopped, history.fault, history.interruption) == (reason, "", None)
    assert history.best == len(history.epochs) == 2


def test_any_other_error_goes_up_with_the_best_weights_in_place():
    made, kept = objective(), []
    spoil = [
        lambda epoch: kept.append(weights_of(made)),
        poison(made, 2),
        raise_at(2, ValueError("mine")),
    ]
    with pytest.raises(ValueError, match="mine"):
        Trainer(made, QUICK, 0, spoil).fit(counts(), None)
    assert same(weights_of(made), kept[1])
