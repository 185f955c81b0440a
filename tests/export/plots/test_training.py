"""How training went."""

import math

import numpy as np
import pytest

from tests.estimators.planted import model
from tests.export.plots.reading import said
from topicfactors import InputError, MixtureModel, plot_training


def test_both_bounds_and_the_pass_that_was_kept(fitted):
    figure = plot_training(fitted)
    training, held_out, weight = figure.data
    assert list(training.y) == [epoch.bound for epoch in fitted.history_]
    assert list(held_out.y) == [epoch.held_out for epoch in fitted.history_]
    assert list(weight.y) == [epoch.kl_weight for epoch in fitted.history_]
    assert figure.layout.shapes[0].x0 == fitted.best_iter_


def test_the_unigram_is_that_of_the_held_out_documents(counts):
    """With all documents held out as well as trained on, its score can be had directly."""
    made = model(2, max_iter=2).fit(counts)
    found = made.evaluate(counts)
    made.held_out_ = {found.bound: found}
    level = plot_training(made).layout.shapes[-1].y0
    tokens = float(counts.sum()) / counts.shape[0]
    assert level == pytest.approx(-math.log(found.unigram.corpus) * tokens)


def test_bounds_of_tempered_words_have_no_unigram_beside(counts):
    options = {"validation_fraction": 0.1, "n_init": 1, "random_state": 0, "n_jobs": 1}
    tempered = plot_training(MixtureModel(3, **options).fit(counts))
    assert "tempered" in tempered.layout.yaxis.title.text
    assert len(tempered.layout.shapes) == 1
    whole = plot_training(MixtureModel(3, tempering="none", **options).fit(counts))
    assert len(whole.layout.shapes) == 2


def test_a_response_is_not_compared_with_the_unigram(counts):
    answers = np.arange(counts.shape[0]) % 7
    made = model(2, max_iter=2, validation_fraction=0.1).fit(counts, response=answers)
    assert len(plot_training(made).layout.shapes) == 1


def test_seconds_of_every_call_count(counts):
    made = model(2, inference="gumbel-softmax").partial_fit(counts)
    epoch = made.history_[0]
    made.history_ = [epoch._replace(number=n, seconds=s) for n, s in ((1, 2.0), (2, 1.0))]
    assert "2 passes, 3.0 s" in said(plot_training(made))


def test_no_history_is_refused(counts):
    made = model(2, max_iter=1).fit(counts)
    made.history_ = []
    with pytest.raises(InputError, match="no history"):
        plot_training(made)
