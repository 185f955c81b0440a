"""fit, partial_fit, warm_start and what can be asked afterwards."""

import numpy as np
import pytest
import torch

from tests.estimators.planted import matched, model, word_logs
from topicfactors import ConfigurationError, FitError, FitWarning, InputError


def test_fit_transform_is_fit_then_transform(corpus):
    first, second = model(max_iter=3), model(max_iter=3)
    found = first.fit_transform(corpus.counts)
    np.testing.assert_array_equal(found, second.fit(corpus.counts).transform(corpus.counts))
    assert second.fit(corpus.counts) is second


def test_transform_gives_probabilities_and_predict_their_side(relaxed_model, corpus):
    found = relaxed_model.transform(corpus.counts)
    assert found.shape == (400, 4)
    assert ((found >= 0) & (found <= 1)).all()
    assert not np.allclose(found.sum(1), 1)
    predicted = relaxed_model.predict(corpus.counts)
    np.testing.assert_array_equal(predicted, found > 0.5)
    assert set(np.unique(predicted)) == {0, 1}
    assert predicted.dtype.kind == "i"


def test_inverse_transform_gives_word_probabilities(relaxed_model):
    states = (np.arange(16)[:, None] >> np.arange(4)) & 1
    found = relaxed_model.inverse_transform(states)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(found, np.exp(word_logs(relaxed_model)), atol=1e-6)


def test_topic_word_has_one_factor_on_and_the_others_at_their_prevalence(relaxed_model):
    states = np.tile(relaxed_model.prevalence_, (4, 1))
    np.fill_diagonal(states, 1)
    np.testing.assert_allclose(
        relaxed_model.topic_word_, relaxed_model.inverse_transform(states), atol=1e-6
    )


def test_partial_fit_improves_the_bound_and_keeps_the_history(corpus):
    learner = model(inference="gumbel-softmax", max_iter=20)
    scores = []
    for call in range(1, 11):
        learner.partial_fit(corpus.counts)
        scores.append(learner.score(corpus.counts))
        assert [epoch.number for epoch in learner.history_] == list(range(1, call + 1))
        assert learner.n_iter_ == learner.best_iter_ == call
    assert scores[-1] > scores[0] + 2
    assert scores[-1] > scores[4] > scores[0]


def test_every_call_of_partial_fit_has_its_own_noise(corpus):
    seeds = []
    learner = model(max_iter=5, callbacks=[lambda epoch: seeds.append(torch.initial_seed())])
    for _ in range(3):
        learner.partial_fit(corpus.counts[:50])
    assert len(set(seeds)) == 3


def test_partial_fit_remembers_the_words_of_all_calls(corpus):
    learner = model(max_iter=5)
    for part in (corpus.counts[:100], corpus.counts[100:150], corpus.counts[150:]):
        learner.partial_fit(part)
    np.testing.assert_allclose(learner.word_totals_, np.asarray(corpus.counts.sum(0)).ravel())
    np.testing.assert_array_equal(
        learner.document_frequency_, np.asarray((corpus.counts > 0).sum(0)).ravel()
    )


def test_one_document_does_not_kill_the_factors_of_partial_fit(corpus):
    learner = model(inference="exact", max_iter=5, kl_warmup=0)
    for _ in range(15):
        learner.partial_fit(corpus.counts)
    assert learner.status_ == ["active"] * 4
    learner.partial_fit(corpus.counts[0])
    assert learner.status_ == ["active"] * 4


def test_partial_fit_learns_what_fit_learns(corpus):
    learner = model(inference="exact", max_iter=20)
    for _ in range(20):
        learner.partial_fit(corpus.counts)
    assert matched(learner.transform(corpus.counts), corpus.truth).mean() > 0.75
    assert learner.score(corpus.counts) > -228  # the unigram has -243, the best model -219.5


def test_partial_fit_goes_on_from_fit_and_fit_starts_anew(corpus):
    learner = model(max_iter=3).fit(corpus.counts)
    words = learner.components_
    learner.partial_fit(corpus.counts)
    assert learner.n_iter_ == 4
    assert not np.array_equal(learner.components_, words)
    np.testing.assert_array_equal(learner.fit(corpus.counts).components_, words)
    assert learner.n_iter_ == 3


def test_warm_start_goes_on(corpus):
    learner = model(inference="gumbel-softmax", max_iter=4, warm_start=True)
    scores = [learner.fit(corpus.counts).score(corpus.counts) for _ in range(4)]
    assert scores[-1] > scores[0] + 2
    cold = model(inference="gumbel-softmax", max_iter=4).fit(corpus.counts)
    np.testing.assert_array_equal(cold.components_, cold.fit(corpus.counts).components_)


def test_warm_start_refuses_another_model(corpus):
    learner = model(max_iter=1, warm_start=True)
    learner.fit(corpus.counts, feature_names=[f"w{n}" for n in range(48)])
    with pytest.raises(InputError, match="expecting 48 features"):
        learner.fit(corpus.counts[:, :40])
    with pytest.raises(InputError, match="not the words of fit"):
        learner.fit(corpus.counts, feature_names=[f"v{n}" for n in range(48)])
    learner.set_params(n_components=5)
    with pytest.raises(ConfigurationError, match="a model of 4 factors, got n_components=5"):
        learner.fit(corpus.counts)
    with pytest.raises(ConfigurationError, match="a model of 4 factors"):
        learner.partial_fit(corpus.counts)


def test_verbose_writes_a_line_an_epoch_to_stderr(corpus, capsys):
    model(max_iter=3, verbose=1).fit(corpus.counts)
    output, errors = capsys.readouterr()
    assert output == ""
    assert [line.split(":")[0] for line in errors.splitlines()] == [
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    model(max_iter=1).fit(corpus.counts)
    assert capsys.readouterr() == ("", "")


def test_small_corpora_hold_nothing_out(corpus):
    few = model(2, max_iter=2).fit(corpus.counts[:60])
    assert few.held_out_ == {}
    assert few.history_[-1].held_out is None
    assert few.best_iter_ == 2
    many = model(2, max_iter=2).fit(corpus.counts)
    assert list(many.held_out_) == ["truncated", "elbo", "iwae"]
    assert list(model(2, inference="dvae", max_iter=2).fit(corpus.counts).held_out_) == [
        "elbo",
        "iwae",
    ]
    assert model(2, max_iter=2, validation_fraction=0).fit(corpus.counts).held_out_ == {}


@pytest.mark.filterwarnings("ignore:n_components=. is more factors")
@pytest.mark.parametrize("documents", [1, 2, 3])
@pytest.mark.parametrize(
    "inference", ["exact", "gumbel-softmax", "nvil", "local-expectation", "truncated"]
)
def test_very_few_documents_are_enough(inference, documents, corpus):
    fitted = model(5, inference=inference, max_iter=2).fit(corpus.counts[:documents])
    assert np.isfinite(fitted.transform(corpus.counts)).all()
    assert np.isfinite(fitted.score(corpus.counts))


def raise_at(number, error):
    def callback(epoch):
        if epoch.number == number:
            raise error

    return callback


def test_an_interruption_leaves_a_model_that_can_be_used(corpus):
    learner = model(max_iter=10, callbacks=[raise_at(3, KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        learner.fit(corpus.counts)
    assert (learner.n_iter_, learner.stopped_) == (3, "interrupted")
    assert learner.best_iter_ in (1, 2, 3)
    assert np.isfinite(learner.score(corpus.counts))
    assert len(learner.top_words(3)) == 4
    assert learner.held_out_


def test_stop_iteration_ends_training_quietly(corpus):
    learner = model(max_iter=10, callbacks=[raise_at(2, StopIteration("enough"))])
    learner.fit(corpus.counts)
    assert (learner.n_iter_, learner.stopped_) == (2, "enough")


class Poison:
    """Puts NaN into a parameter of the model at the end of some epoch."""

    def __init__(self, learner, number):
        self.learner, self.number = learner, number

    def __call__(self, epoch):
        if epoch.number == self.number:
            self.learner.objective_.joint.decoder.bias.data[0] = np.nan


@pytest.mark.parametrize("held_out", [0.0, 0.05])
@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax"])
def test_a_poisoned_parameter_is_named_and_the_last_good_weights_kept(inference, held_out, corpus):
    learner = model(inference=inference, max_iter=6, validation_fraction=held_out)
    learner.callbacks = [Poison(learner, 3)]
    with pytest.warns(FitWarning, match=r"step 1 of epoch 4; the weights of epoch 3 are kept"):
        learner.fit(corpus.counts)
    assert learner.n_iter_ == learner.best_iter_ == 3
    assert np.isfinite(learner.components_).all()
    good = model(inference=inference, max_iter=6, validation_fraction=held_out)
    good.callbacks = [raise_at(3, StopIteration())]
    np.testing.assert_array_equal(good.fit(corpus.counts).components_, learner.components_)


def test_a_poison_in_the_last_epoch_changes_nothing(corpus):
    learner = model(max_iter=2, validation_fraction=0)
    learner.callbacks = [Poison(learner, 2)]
    assert np.isfinite(learner.fit(corpus.counts).components_).all()


def broken(sizes):
    from topicfactors.model.decoders import LogLinearDecoder

    class Broken(LogLinearDecoder):
        def logits(self, values):
            found = super().logits(values)
            return found._replace(bias=found.bias / 0)

    return Broken(sizes)


def test_training_that_fails_at_once_leaves_no_model_behind(corpus):
    learner = model(decoder=broken)
    with pytest.raises(FitError, match="step 1 of epoch 1, before any epoch was complete; try"):
        learner.fit(corpus.counts)
    assert not [name for name in vars(learner) if name.endswith("_")]
    with pytest.raises(FitError):
        model(decoder=broken).partial_fit(corpus.counts)


def test_a_callback_that_fails_leaves_no_model_behind(corpus):
    learner = model(callbacks=[raise_at(1, ZeroDivisionError())])
    with pytest.raises(ZeroDivisionError):
        learner.fit(corpus.counts)
    assert not hasattr(learner, "objective_")


def test_a_refused_parameter_does_not_cost_the_fitted_model(corpus):
    learner = model(max_iter=1).fit(corpus.counts)
    with pytest.raises(ConfigurationError):
        learner.set_params(inference="nvill").fit(corpus.counts)
    assert np.isfinite(learner.score(corpus.counts))


def test_partial_fit_and_warm_start_keep_what_was_learnt_before(corpus):
    learner = model(max_iter=5, inference="gumbel-softmax").partial_fit(corpus.counts)
    words, good = learner.components_, learner.objective_.forward

    def spoilt(*args):
        found = good(*args)
        return found._replace(loss=found.loss * np.nan)

    learner.objective_.forward = spoilt
    with pytest.warns(FitWarning, match="step 1 of epoch 2; the weights of epoch 1 are kept"):
        learner.partial_fit(corpus.counts)
    np.testing.assert_array_equal(learner.components_, words)
    assert learner.n_iter_ == 1
    learner.objective_.forward = good
    learner.partial_fit(corpus.counts)  # the optimiser's memory is not poisoned
    assert np.isfinite(learner.components_).all()
    words = learner.components_
    learner.set_params(warm_start=True)
    learner.objective_.forward = spoilt
    with pytest.warns(FitWarning, match="the weights from before are kept"):
        learner.fit(corpus.counts)
    np.testing.assert_allclose(np.sort(learner.components_, 0), np.sort(words, 0))


def test_exact_warns_of_its_cost_above_twelve_factors():
    counts = np.random.default_rng(0).poisson(1.0, (14, 6))
    with pytest.warns(FitWarning, match=r"2\^13 states"):
        model(13, inference="exact", max_iter=1).fit(counts)
    with pytest.warns(FitWarning, match=r"2\^7 states .* above 6 factors"):
        model(7, inference="exact", likelihood="polya", max_iter=1).fit(counts)


def test_more_factors_than_documents_are_named(corpus):
    with pytest.warns(FitWarning, match=r"n_components=6 is more factors than documents \(5\)"):
        model(6, max_iter=1).fit(corpus.counts[:5])
    model(6, max_iter=1).partial_fit(corpus.counts[:5])  # others will follow
