"""The loop: what it keeps, what it says, and the values of its schedule."""

import math

import pytest
import torch

from tests.training.objectives import counts, objective, same, weights_of
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.insight.topics import DEAD
from topicfactors.training import watching
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.trainer import Schedule, Trainer, score

QUICK = Schedule(epochs=6, batch_size=20, learning_rate=1e-2)


def test_every_callback_gets_every_epoch_in_order():
    heard = ([], [])
    trainer = Trainer(objective(), QUICK, 0, [heard[0].append, heard[1].append])
    history = trainer.fit(counts(), counts(30, seed=1))
    assert heard[0] == heard[1] == history.epochs
    assert [epoch.number for epoch in history.epochs] == [1, 2, 3, 4, 5, 6]
    assert {epoch.of for epoch in history.epochs} == {6}
    seconds = [epoch.seconds for epoch in history.epochs]
    assert seconds == sorted(seconds)
    assert history.stopped == history.fault == ""
    for epoch in history.epochs:
        assert epoch.kl_weight == QUICK.kl_weight_at(epoch.number / 6)
        assert epoch.learning_rate == QUICK.learning_rate_at(epoch.number / 6)
        assert 0 <= epoch.active <= 3


def test_training_improves_the_bound():
    made, documents = objective(), counts()
    before = score(made, documents).bound
    history = Trainer(made, Schedule(epochs=15, batch_size=20), 0).fit(documents, None)
    assert score(made, documents).bound > before + 2
    assert history.epochs[-1].bound > history.epochs[0].bound
    assert history.epochs[-1].held_out is None
    assert history.best == 15


def test_the_best_weights_are_put_back():
    watched = counts(30, seed=1)
    made, seen = objective(inference="gumbel-softmax"), {}
    schedule = Schedule(epochs=40, batch_size=10, learning_rate=0.5, kl_warmup=0, patience=5)

    def note(epoch):
        seen[epoch.number] = weights_of(made)

    history = Trainer(made, schedule, 0, [note]).fit(counts(30), watched)
    scores = [epoch.held_out for epoch in history.epochs]
    assert history.best == 1 + scores.index(max(scores))
    assert history.best < len(scores)  # else there is nothing to see here
    assert same(weights_of(made), seen[history.best])
    assert score(made, watched).bound == max(scores)
    assert history.stopped == "no progress for 5 epochs"
    assert len(scores) < 40


def test_patience_counts_epochs_at_full_kl_weight_only():
    schedule = Schedule(epochs=10, batch_size=20, tol=1e9, kl_warmup=0.5, patience=2)
    history = Trainer(objective(), schedule, 0).fit(counts(), counts(30, seed=1))
    # epoch 5 is the first at full weight and the mark; 6 and 7 make no progress on it
    assert [epoch.kl_weight for epoch in history.epochs[:5]] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert len(history.epochs) == 7
    assert history.stopped == "no progress for 2 epochs"
    never = Trainer(objective(), schedule.__class__(epochs=4, tol=1e9, patience=0), 0)
    assert len(never.fit(counts(), counts(30, seed=1)).epochs) == 4


def test_the_same_seed_gives_the_same_weights():
    made = []
    for _ in range(2):
        torch.manual_seed(1)
        made.append(objective())
        Trainer(made[-1], QUICK, 7).fit(counts(), None)
    assert same(weights_of(made[0]), weights_of(made[1]))


# Values of the schedule


@pytest.mark.parametrize(
    ("progress", "rate"),
    [
        (0.0, 0.02),
        (0.025, 0.02 + 0.98 * 0.5),
        (0.05, 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * 0.05))),
        (0.5, 0.02 + 0.98 * 0.5),
        (1.0, 0.02),
    ],
)
def test_learning_rate_rises_and_falls(progress, rate):
    assert Schedule(learning_rate=3.0).learning_rate_at(progress) == pytest.approx(3 * rate)
    assert Schedule(learning_rate=3.0, constant=True).learning_rate_at(progress) == 3.0


@pytest.mark.parametrize(
    ("warmup", "progress", "weight"),
    [(0.3, 0, 0), (0.3, 0.15, 0.5), (0.3, 0.3, 1), (0.3, 1, 1), (0, 0, 1), (1, 0.25, 0.25)],
)
def test_kl_weight_rises_to_one(warmup, progress, weight):
    assert Schedule(kl_warmup=warmup).kl_weight_at(progress) == pytest.approx(weight)


def test_every_step_uses_the_schedule():
    made, told = objective(), []
    forward, anneal = made.forward, made.gradient.anneal
    rates = []

    def watched(batch, kl_weight=1.0):
        told.append(kl_weight)
        rates.append(trainer.optimizer.param_groups[0]["lr"])
        return forward(batch, kl_weight)

    progress = []
    made.forward = watched
    made.gradient.anneal = lambda share: (progress.append(share), anneal(share))
    schedule = Schedule(epochs=3, batch_size=30, learning_rate=0.01, kl_warmup=0.5)
    trainer = Trainer(made, schedule, 0)
    trainer.fit(counts(120), None)
    expected = [step / 12 for step in range(12)]
    assert progress == pytest.approx(expected)
    assert told == pytest.approx([schedule.kl_weight_at(share) for share in expected])
    assert rates == pytest.approx([schedule.learning_rate_at(share) for share in expected])
    assert made.gradient.temperature == pytest.approx(made.gradient.end)


def test_going_on_continues_the_schedule():
    schedule = Schedule(epochs=4, batch_size=30, kl_warmup=1.0, constant=True)
    history = Trainer(objective(), schedule, 0).fit(counts(), None, done=2, epochs=1)
    assert [(epoch.number, epoch.kl_weight) for epoch in history.epochs] == [(3, 0.75)]
    assert history.best == 3
    beyond = Trainer(objective(), schedule, 0).fit(counts(), None, done=9, epochs=1)
    assert [(epoch.number, epoch.kl_weight) for epoch in beyond.epochs] == [(10, 1.0)]


# Precision and scores


@pytest.mark.parametrize("inference", ["gumbel-softmax", "nvil", "local-expectation"])
def test_bfloat16_layers_train_as_well(inference):
    found, documents = {}, counts(200)
    for autocast in (False, True):
        torch.manual_seed(0)
        made = objective(inference=inference, encoder="bag-of-words:width=32,dropout=0")
        schedule = Schedule(epochs=12, batch_size=20, autocast=autocast)
        Trainer(made, schedule, 0).fit(documents, None)
        assert {weights.dtype for weights in made.parameters()} == {torch.float32}
        found[autocast] = score(made, documents).bound
    assert found[True] == pytest.approx(found[False], rel=0.01)


@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
def test_the_likelihood_keeps_its_precision_under_autocast(decoder):
    made = objective(inference="exact", decoder=decoder)
    (batch,) = in_order(counts(40), 40)
    plain = made(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = made(batch)
    assert torch.equal(plain.loss, cast.loss)
    assert torch.equal(plain.bound, cast.bound)


def test_autocast_is_for_gpus_unless_asked_for():
    made = objective()
    trainer = Trainer(made, QUICK, 0)
    with trainer.step.precision():
        assert not torch.is_autocast_enabled("cpu")
    with Trainer(made, Schedule(autocast=True), 0).step.precision():
        assert torch.is_autocast_enabled("cpu")


def test_score_is_the_hard_bound_with_the_noise_of_the_document(monkeypatch):
    made, documents = objective(), counts(50)
    monkeypatch.setattr(watching, "AT_ONCE", 7)
    found = score(made, documents)
    made.eval()
    (batch,) = in_order(documents, 50)
    with torch.no_grad():
        target, q = made.condition(batch)
        noise = document_noise(document_keys(batch.counts), 1, 3)
        each = bounds.elbo(target, q, 1, noise)
        spread = q.mean().var(0, correction=0)
    assert found.bound == pytest.approx(float(each.mean()), rel=1e-5)
    perplexity = torch.exp(-(each / documents.counts.lengths).mean())
    assert found.perplexity == pytest.approx(float(perplexity), rel=1e-5)
    assert found.active == int((spread >= DEAD).sum())


def test_score_of_empty_documents_is_no_division_by_zero():
    words = counts(10).counts
    empty = Documents(words.with_values(torch.zeros_like(words.values)))
    found = score(objective(), empty)
    assert found.perplexity == 1
    assert math.isfinite(found.bound)


def test_one_gradient_step_is_of_the_mean_loss_a_token():
    made, documents = objective(), counts(40)
    made.gradient.anneal(0.0)
    schedule = Schedule(epochs=1, batch_size=40, clip=1e9, learning_rate=1e-9, kl_warmup=0)
    trainer = Trainer(made, schedule, 0)
    seen = {}
    step = trainer.optimizer.step

    def watched():
        seen.update({name: p.grad.clone() for name, p in made.named_parameters()})
        step()

    trainer.optimizer.step = watched
    torch.manual_seed(4)
    trainer.fit(documents, None)
    made.zero_grad()
    made.train()
    torch.manual_seed(4)
    (batch,) = iter_once(documents)
    surrogate = made(batch, 1.0)
    (surrogate.loss.mean() / documents.counts.lengths.mean()).backward()
    for name, parameter in made.named_parameters():
        torch.testing.assert_close(seen[name], parameter.grad, rtol=1e-3, atol=1e-6)


def iter_once(documents):
    from topicfactors.training.batches import Batches

    return list(Batches(documents, 40, 0))


@pytest.mark.parametrize("likelihood", ["polya", "multinomial", "bernoulli"])
def test_a_search_keeps_its_precision_under_autocast(likelihood):
    made = objective(inference="truncated", likelihood=likelihood)
    schedule = Schedule(2, 32, 4e-2, 0.0, autocast=True)
    history = Trainer(made, schedule, 0).fit(counts(), counts(40, seed=1))
    assert len(history.epochs) == 2
    assert all(math.isfinite(epoch.bound) for epoch in history.epochs)


def test_held_out_documents_are_searched_with_the_same_effort():
    """Weights that do not move have the same held-out bound after every pass."""
    made = objective(inference="truncated")
    schedule = Schedule(4, 32, 1e-30, 0.0)
    history = Trainer(made, schedule, 0).fit(counts(), counts(40, seed=1))
    bounds_seen = {round(epoch.held_out, 3) for epoch in history.epochs}
    assert len(bounds_seen) == 1
    rise = history.epochs[-1].bound - history.epochs[0].bound
    assert rise > -1e-4  # those of the training never get worse
