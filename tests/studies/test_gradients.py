"""Estimators side by side on a planted corpus of five factors."""

import json
import math

import numpy as np
import pytest
import torch

from tests.estimators.planted import model, planted
from tests.studies.conftest import FEW
from topicfactors import BinaryFactorModel, ConfigurationError, InputError, MixtureModel, studies
from topicfactors.export.tables import dump_json
from topicfactors.gradients import GRADIENTS
from topicfactors.inference.families import POSTERIORS
from topicfactors.studies.comparison import Comparison


def named(study):
    return {row.estimator: row for row in study.rows}


def errors(figures):
    """Two standard errors of the squared bias."""
    return figures.bias_most**2 - figures.bias**2


def test_every_estimator_is_measured_or_refused(study):
    said = {row.estimator for row in study.rows} | {name for name, _ in study.refused}
    assert said == set(GRADIENTS)
    for row in study.rows:
        sampled = GRADIENTS[row.estimator].sampled
        assert (row.logits is not None) == sampled
        assert row.cost.seconds > 0
        assert row.cost.evaluations > 0
        assert row.after_time is None
        assert math.isfinite(row.after_evaluations.elbo)


def test_an_unbiased_estimator_shows_no_bias_and_straight_through_does(study):
    length = study.settings.reference_length
    assert study.settings.reference == "the exact gradient"
    assert study.settings.reference_error == 0
    for row in study.rows:
        if row.logits is not None and row.unbiased and row.objective == "elbo":
            assert row.logits.bias**2 <= 2 * errors(row.logits), row.estimator
    crossed = named(study)["straight-through"].logits
    assert crossed.bias > 0.05 * length
    assert crossed.bias**2 > 2 * errors(crossed)
    assert named(study)["local-expectation"].logits.bias_most < 0.1 * length


def test_variances_are_ordered_as_is_known(study):
    rows = named(study)
    assert rows["local-expectation"].logits.variance < 0.2 * rows["nvil"].logits.variance
    ratio = {
        name: row.logits.signal / row.logits.variance**0.5
        for name, row in rows.items()
        if row.logits
    }
    assert ratio["local-expectation"] > ratio["nvil"]


def test_a_scaled_gradient_is_measured_at_its_own_length(corpus, fitted):
    asked = ["nvil", "nvil:normalise_variance=false"]
    plain, free = studies.gradients(fitted, corpus.counts, asked, **FEW | {"draws": 400}).rows
    assert plain.logits.signal == pytest.approx(free.logits.signal, rel=0.2)
    assert plain.logits.variance == pytest.approx(free.logits.variance, rel=0.4)


def test_evaluations_are_counted(corpus, fitted):
    asked = ["nvil", "nvil:samples=2", "straight-through", "local-expectation", "exact"]
    found = studies.gradients(fitted, corpus.counts, asked, **FEW | {"draws": 10})
    counted = {row.estimator: row.cost.evaluations for row in found.rows}
    assert counted == {
        "nvil": 5,
        "nvil:samples=2": 2,
        "straight-through": 1,
        "local-expectation": 1 + 3,
        "exact": 2**5,
    }


def test_a_training_ends_with_its_budget(corpus, fitted):
    budget = FEW | {"draws": 10, "seconds": 0.2, "evaluations": 3}
    row, other = studies.gradients(
        fitted, corpus.counts, ["straight-through", "nvil"], **budget
    ).rows
    for found in (row, other):
        assert 0.2 <= found.after_time.seconds < 1.0
        assert 3 <= found.after_evaluations.evaluations < 4.5
    passes = {r.estimator: r.after_evaluations.passes for r in (row, other)}
    assert passes["straight-through"] > 3 * passes["nvil"]


def test_more_training_is_better(corpus, fitted):
    budgets = (1, 40)
    less, more = (
        studies.gradients(
            fitted, corpus.counts, ["gumbel-softmax"], **FEW | {"draws": 10, "evaluations": n}
        ).rows[0]
        for n in budgets
    )
    assert more.after_evaluations.elbo > less.after_evaluations.elbo + 1


def test_the_bound_of_a_posterior_without_draws_is_its_own(study):
    rows = named(study)
    assert rows["exact"].after_evaluations.iwae == rows["exact"].after_evaluations.elbo
    assert rows["truncated"].after_evaluations.iwae is None
    for row in study.rows:
        if row.logits is not None:
            assert row.after_evaluations.iwae > row.after_evaluations.elbo


def test_the_same_seed_gives_the_same_figures(corpus, fitted, study):
    asked = ["nvil", "straight-through"]
    again = named(studies.gradients(fitted, corpus.counts, asked, **FEW))
    for name in asked:  # whichever others are measured
        before, now = named(study)[name], again[name]
        assert now.logits == before.logits
        assert now.encoder == before.encoder
        assert now.after_evaluations._replace(seconds=0) == before.after_evaluations._replace(
            seconds=0
        )
    other = named(studies.gradients(fitted, corpus.counts, asked, **FEW, random_state=1))
    assert other["nvil"].logits != again["nvil"].logits


def test_the_model_and_the_random_numbers_stay_as_they_were(corpus, fitted):
    before = {name: part.clone() for name, part in fitted.objective_.state_dict().items()}
    state = torch.get_rng_state()
    studies.gradients(fitted, corpus.counts, ["nvil"], **FEW | {"draws": 10})
    assert torch.equal(torch.get_rng_state(), state)
    for name, part in fitted.objective_.state_dict().items():
        assert torch.equal(part, before[name]), name


def test_those_that_cannot_serve_are_listed_with_the_reason():
    few = planted(factors=4, documents=60, length=15)
    fitted = model(20, inference="gumbel-softmax", max_iter=1).fit(few.counts)
    found = studies.gradients(
        fitted, few.counts, ["exact", "straight-through"], **FEW | {"reference_draws": 40}
    )
    (refused,) = found.refused
    assert refused.estimator == "exact"
    assert "at most 16 factors" in refused.reason
    assert "40 draws of local-expectation" in found.settings.reference
    assert 0 < found.settings.reference_error < found.settings.reference_length
    assert "exact" in found.markdown()


def test_a_sampled_reference_agrees_with_the_exact_one(corpus, fitted, monkeypatch):
    asked, budget = ["straight-through"], FEW | {"evaluations": 0}
    exact = studies.gradients(fitted, corpus.counts, asked, **budget).rows[0]
    monkeypatch.setattr("topicfactors.studies.comparison.ENUMERATED", 0)
    sampled = studies.gradients(fitted, corpus.counts, asked, **budget).rows[0]
    assert sampled.logits.bias == pytest.approx(exact.logits.bias, rel=0.05)
    assert sampled.logits.variance == exact.logits.variance


def test_a_model_that_is_not_fitted_is_fitted_first(corpus):
    new = BinaryFactorModel(2, likelihood="multinomial", max_iter=1, random_state=0)
    found = studies.gradients(new, corpus.counts, ["local-expectation"], **FEW)
    assert found.settings.posterior == "mean-field"
    assert not hasattr(new, "objective_")


@pytest.mark.parametrize("likelihood", ["polya", "poisson", "bernoulli"])
def test_it_works_with_every_likelihood(corpus, likelihood):
    new = model(3, likelihood=likelihood, inference="auto", max_iter=1)
    found = studies.gradients(new, corpus.counts, ["local-expectation", "exact"], **FEW)
    row = named(found)["local-expectation"]
    assert row.logits.bias**2 <= 2 * errors(row.logits)
    walks = {"polya": (4, 5), "poisson": (4,), "bernoulli": (4, 5)}  # one less where f is known
    assert row.cost.evaluations in walks[likelihood]


TAUGHT = [
    name for name, kind in POSTERIORS.items() if kind.sampled and getattr(kind, "taught", True)
]


@pytest.mark.parametrize("posterior", TAUGHT)
def test_it_works_with_every_posterior_that_a_gradient_teaches(corpus, posterior):
    new = model(4, inference="auto", posterior=posterior, max_iter=2)
    found = studies.gradients(new, corpus.counts, ["nvil", "straight-through"], **FEW)
    assert found.settings.posterior == posterior
    for row in found.rows:
        seen = row.logits.bias**2 > 2 * errors(row.logits)
        assert seen == (row.estimator == "straight-through")


def test_what_is_measured_before_an_interruption_is_kept(corpus, fitted):
    comparison = Comparison(fitted, corpus.counts, ["nvil", "dvae"], **FEW)
    rows = iter(comparison)
    study = comparison.study([next(rows)])
    assert [row.estimator for row in study.rows] == ["nvil"]


# ---- how it is shown ----


def test_the_table_has_a_row_for_each(study):
    text = study.markdown()
    assert text.count("\n|") == 1 + len(study.rows)
    assert "(no draws)" in text
    frame = study.to_pandas()
    assert list(frame.index) == [row.estimator for row in study.rows]
    assert frame.loc["exact", "objective"] == "exact"
    assert np.isnan(frame.loc["exact", "variance"])
    assert json.loads(dump_json(study.records()))[0]["estimator"] == study.rows[0].estimator


def test_another_objective_has_no_bias(study):
    row = named(study)["nvil"]._replace(objective="iwae")
    other = studies.GradientStudy(study.settings, (row,), ())
    assert "(of iwae)" in other.markdown()
    assert other.records()[0]["bias"] is None
    assert other.records()[0]["variance"] == row.logits.variance


def test_the_plot_shows_them_all(study):
    figure = study.plot()
    first, _, last = figure.data
    comparable = {r.estimator for r in study.rows if r.logits is not None and r.objective == "elbo"}
    assert set(first.text) == comparable
    assert set(last.text) == {row.estimator for row in study.rows}


# ---- what is refused ----


@pytest.mark.parametrize(
    ("estimators", "said"),
    [
        (["nvill"], "did you mean 'nvil'?"),
        (["nvil:sample=3"], "its options are"),
        ([], "at least one name"),
    ],
)
def test_names_that_are_none(corpus, fitted, estimators, said):
    with pytest.raises(ConfigurationError, match=said.replace("?", r"\?")):
        studies.gradients(fitted, corpus.counts, estimators, **FEW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"draws": 1}, "draws must be a whole number of 2 or more, got 1"),
        ({"documents": 0}, "documents must be"),
        ({"seconds": -1}, "seconds must be"),
        ({"evaluations": math.nan}, "evaluations must be"),
        ({"random_state": None}, "random_state must be"),
    ],
)
def test_numbers_that_make_no_sense(corpus, fitted, change, said):
    with pytest.raises(ConfigurationError, match=said):
        studies.gradients(fitted, corpus.counts, **FEW | change)


def test_a_posterior_without_draws(corpus):
    found = model(3, inference="exact", max_iter=1).fit(corpus.counts)
    with pytest.raises(InputError, match="no logits"):
        studies.gradients(found, corpus.counts)
    with pytest.raises(ConfigurationError, match="leave inference='auto'"):
        studies.gradients(model(3, inference="exact"), corpus.counts)
    with pytest.raises(ConfigurationError, match="use continuous_layers=0"):
        studies.gradients(model(3, inference="dvae", continuous_layers=1), corpus.counts)
    with pytest.raises(ConfigurationError, match="must be a BinaryFactorModel"):
        studies.gradients(MixtureModel(3), corpus.counts)


def test_other_words_than_those_of_the_model(fitted):
    with pytest.raises(InputError, match="expecting 56 features"):
        studies.gradients(fitted, np.ones((5, 3)), **FEW)
    with pytest.raises(InputError, match="give 2 or more"):
        studies.gradients(fitted, np.ones((1, 56)), **FEW)
