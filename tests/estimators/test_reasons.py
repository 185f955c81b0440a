"""Evidence of chosen pairs is that of explain, and is not claimed where there is none."""

import numpy as np
import pytest

from topicfactors import BinaryFactorModel, MixtureModel
from topicfactors.estimators.reasons import reasons_of

COUNTS = np.random.default_rng(0).poisson(1.0, (24, 9))


@pytest.mark.parametrize("likelihood", ["multinomial", "polya", "poisson", "bernoulli"])
@pytest.mark.parametrize("prior", ["bernoulli", "boltzmann"])
def test_reasons_add_up_to_the_log_odds_of_explain(likelihood, prior):
    options = {"likelihood": likelihood, "prior": prior, "max_iter": 2, "n_jobs": 1}
    model = BinaryFactorModel(4, random_state=0, **options).fit(COUNTS)
    counts, found = model._observed(COUNTS), np.asarray(model.transform(COUNTS))
    rows, factors = np.repeat(np.arange(24), 2), np.tile([1, 2], 24)
    explained = model.explain(COUNTS)
    reasons = reasons_of(model, counts, found)(rows, factors)
    alike = 0  # documents whose most probable state is that of each factor by itself
    for row, factor, reason in zip(rows, factors, reasons, strict=True):
        whole = explained[row]
        expected = next(each for each in whole.factors if each.factor == factor)
        assert len(reason.words) == np.count_nonzero(COUNTS[row])
        if set(whole.state) - {factor} == set(np.flatnonzero(found[row] > 0.5)) - {factor}:
            total = reason.prior + reason.rest + reason.words.sum()
            assert total == pytest.approx(expected.log_odds, abs=1e-3)
            alike += 1
    assert alike > 10


def test_reasons_of_a_component_are_against_the_best_of_the_others():
    model = MixtureModel(3, random_state=0).fit(COUNTS)
    counts, found = model._observed(COUNTS), model.predict_proba(COUNTS)
    (reason,) = reasons_of(model, counts, found)(np.array([2]), np.array([1]))
    expected = next(each for each in model.explain(COUNTS[2:3])[0].factors if each.factor == 1)
    total = reason.prior + reason.rest + reason.words.sum()
    assert total == pytest.approx(expected.log_odds, abs=1e-3)


def test_none_is_claimed_where_there_is_no_such_sum():
    layered = BinaryFactorModel(
        2, inference="dvae", continuous_layers=1, max_iter=1, random_state=0
    ).fit(COUNTS)
    alone = MixtureModel(1, random_state=0).fit(COUNTS)
    for model in (layered, alone):
        counts = model._observed(COUNTS)
        assert reasons_of(model, counts, np.asarray(model._topics_of(counts, None))) is None
