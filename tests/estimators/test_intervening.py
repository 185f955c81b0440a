"""Interventions against the model written out by hand, under every likelihood and decoder."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logsumexp, softmax

from tests.estimators.planted import joint_table, model, planted, states_of, word_logs
from topicfactors import ConfigurationError, InputError
from topicfactors.model.likelihoods import LIKELIHOODS

CORPUS = planted(documents=120)
COUNTS = CORPUS.counts


@pytest.fixture(scope="module", params=sorted(LIKELIHOODS))
def fitted(request):
    return model(likelihood=request.param, max_iter=3).fit(COUNTS)


@pytest.fixture(scope="module")
def plain():
    return model(inference="exact", max_iter=8).fit(COUNTS)


@pytest.fixture(scope="module")
def deep():
    return model(decoder="mlp", inference="truncated", max_iter=3).fit(COUNTS)


def decoded(found, values):
    """Word probabilities of values ``(D,)``, from the public attributes."""
    logits = found.intercept_.astype(float) + values @ found.components_.astype(float)
    return expit(logits) if found.likelihood == "bernoulli" else softmax(logits)


def test_a_factor_is_switched_and_the_others_stay_at_their_prevalence(fitted):
    found = fitted.intervene(on=1, off=[3])
    held = fitted.prevalence_.astype(float)
    changed = held.copy()
    changed[[1, 3]] = 1.0, 0.0
    assert found.before == pytest.approx(decoded(fitted, held), rel=1e-5)
    assert found.after == pytest.approx(decoded(fitted, changed), rel=1e-5)
    assert found.presence == (fitted.likelihood == "bernoulli")
    assert found.presence or found.after.sum() == pytest.approx(1)
    assert [(each.factor, each.on) for each in found.switched] == [(1, True), (3, False)]
    assert found.switched[0].probability == pytest.approx(held[1])
    assert found.kl > 0
    assert {moved.word for moved in found.gains()}.isdisjoint(m.word for m in found.losses())


def test_one_factor_on_has_the_words_of_topic_word(plain):
    for factor, words in enumerate(plain.topic_word_):
        assert plain.intervene(factor).after == pytest.approx(words, rel=1e-4)


def test_a_document_is_averaged_over_its_posterior(plain):
    """The words of a state are not those of the mean state."""
    row = COUNTS[4]
    table = joint_table(plain, row)[:, 0]
    weights, states = np.exp(table - logsumexp(table)), states_of(4)
    words = np.exp(word_logs(plain))
    changed = states.copy()
    changed[:, 2] = 1
    places = changed @ (1 << np.arange(4))
    for given in (row, [(int(v), float(x)) for v, x in zip(row.indices, row.data, strict=True)]):
        found = plain.intervene(on=2, given=given)
        assert found.given == "document"
        assert found.before == pytest.approx(weights @ words, rel=1e-4)
        assert found.after == pytest.approx(weights @ words[places], rel=1e-4)
        assert found.switched[0].probability == pytest.approx(plain.transform(row)[0, 2], abs=1e-4)


def test_a_state_may_be_given(fitted):
    state = np.array([1.0, 0.0, 0.0, 1.0])
    found = fitted.intervene(off=[0], given=state)
    assert found.given == "probabilities"
    assert found.before == pytest.approx(decoded(fitted, state), rel=1e-5)
    nothing = fitted.intervene(on=[0], given=state.tolist())
    assert (nothing.kl, nothing.js, nothing.gains()) == (0.0, 0.0, [])


def test_an_mlp_is_decoded_as_it_is(deep):
    state = np.array([0.0, 1.0, 1.0, 0.0], np.float32)
    found = deep.intervene(on=0, given=state)
    assert found.before == pytest.approx(deep.inverse_transform(state[None])[0], rel=1e-4)
    state[0] = 1
    assert found.after == pytest.approx(deep.inverse_transform(state[None])[0], rel=1e-4)


def test_interactions_are_second_differences(fitted):
    told = fitted.interactions()
    assert len(told.pairs) == 6
    assert [abs(p.nats) for p in told.pairs] == sorted(abs(p.nats) for p in told.pairs)[::-1]
    held = fitted.prevalence_.astype(float)
    for pair in told.pairs:
        logs, both = 0.0, None
        for first, second, sign in ((1, 1, 1), (1, 0, -1), (0, 1, -1), (0, 0, 1)):
            state = held.copy()
            state[[pair.first, pair.second]] = first, second
            words = decoded(fitted, state)
            both = words if both is None else both
            logs = logs + sign * np.log(words)
        assert pair.nats == pytest.approx(both @ logs / both.sum(), abs=1e-5)
        assert pair.coupling == 0
        assert (pair.spread > 0) == (fitted.likelihood == "bernoulli")


def test_a_factor_beside_another_moves_the_evidence_by_the_interaction(plain):
    """log p(x, 11) − log p(x, 10) − log p(x, 01) + log p(x, 00) = n·I for independent draws."""
    row, rest = COUNTS[3], np.array([0.0, 0.0, 1.0, 0.0])
    told = plain.interactions([(0, 3)], given=rest)
    table = joint_table(plain, row)[:, 0]
    at = {(a, b): table[a + 4 + 8 * b] for a in (0, 1) for b in (0, 1)}
    moved = at[1, 1] - at[1, 0] - at[0, 1] + at[0, 0]
    assert moved == pytest.approx(row.sum() * told.pairs[0].nats, rel=1e-4, abs=1e-4)


def test_under_an_mlp_every_word_has_its_own(deep):
    with torch.no_grad():
        deep.objective_.joint.decoder.hidden.weight.add_(0.5)
    told = deep.interactions([(0, 1), (2, 3)], given=np.zeros(4))
    for pair in told.pairs:
        states = np.zeros((4, 4), np.float32)
        states[1, pair.first] = states[2, pair.second] = 1
        states[3, [pair.first, pair.second]] = 1
        four = np.log(deep.inverse_transform(states).astype(float))
        each = four[3] - four[1] - four[2] + four[0]
        assert pair.spread > 1e-3
        assert pair.nats == pytest.approx(np.exp(four[3]) @ each, abs=1e-5)
        for word, nats in pair.words:
            assert nats == pytest.approx(each[int(word)], abs=1e-4)
    assert "± " in str(told)


@pytest.mark.parametrize("prior", ["boltzmann", "belief-network"])
def test_the_prior_couples_a_pair(prior):
    made = model(prior=prior, max_iter=2).fit(COUNTS)
    with torch.no_grad():
        for part in made.objective_.joint.prior.parameters():
            part.add_(0.3)
    made.objective_.joint.prior.refresh()
    told = made.interactions(given=np.array([0.0, 1.0, 0.0, 1.0]))
    log_prob = made.objective_.joint.prior.log_prob
    for pair in told.pairs:
        states = torch.tensor([0.0, 1.0, 0.0, 1.0]).repeat(4, 1)
        states[:, pair.first] = torch.tensor([0.0, 1.0, 0.0, 1.0])
        states[:, pair.second] = torch.tensor([0.0, 0.0, 1.0, 1.0])
        none, first, second, both = log_prob(states).tolist()
        assert pair.coupling == pytest.approx(both - first - second + none, abs=1e-4)
        if prior == "boltzmann":
            expected = made.couplings_[pair.first, pair.second]
            assert pair.coupling == pytest.approx(expected, abs=1e-4)
    assert any(pair.coupling for pair in told.pairs)
    assert "prior +" in str(told)


def test_a_document_is_given_to_pairs_too(plain):
    told = plain.interactions([(0, 1)], given=COUNTS[:1])
    assert told.given == "document"
    assert np.isfinite(told.pairs[0].nats)
    assert told.table()["first"] == [0]


def test_the_text_names_the_words_of_a_pair(plain):
    text = str(plain.interactions())
    assert "below 0: they share words" in text
    first = plain.top_words(2)[0]
    assert f"0 ({' '.join(word for word, _ in first)})" in text


def test_factors_with_names():
    made = model(anchors={"steam": ["0", "1"]}, max_iter=2).fit(COUNTS)
    where = made.factor_names_.index("steam")
    by_name, by_number = made.intervene(on="steam"), made.intervene(on=[where])
    assert by_name.after == pytest.approx(by_number.after)
    assert by_name.switched[0].factor == "steam"
    with pytest.raises(InputError, match="factors 0 to 3, 'steam'; did you mean 'steam'"):
        made.intervene(on="steem")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "needs a factor to switch"),
        ({"on": 4}, "on: there is no factor 4; this model has factors 0 to 3"),
        ({"off": [0, "water"]}, "off: there is no factor 'water'"),
        ({"on": True}, "no factor True"),
        ({"on": 1, "off": 1}, "factor 1 is to be both on and off"),
        ({"on": 1, "given": [0.5, 0.5]}, "given must be 4 probabilities"),
        ({"on": 1, "given": [2.0, 0, 0, 0]}, "given must be 4 probabilities"),
        ({"on": 1, "given": "steam engine"}, "got a str"),
        ({"on": 1, "given": COUNTS[:2]}, "given must be one document, got 2"),
    ],
)
def test_mistakes_are_refused_in_one_line(plain, asked, said):
    with pytest.raises(InputError, match=said) as caught:
        plain.intervene(**asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pairs", [[(1, 1)], [0], ["03"], [(0, 1, 2)]])
def test_a_pair_is_of_two_factors(plain, pairs):
    with pytest.raises(InputError, match="pairs must be two different factors each"):
        plain.interactions(pairs)


def test_continuous_layers_have_no_states_of_a_document():
    options = {"inference": "gumbel-softmax", "continuous_layers": "1:width=4", "max_iter": 1}
    made = model(**options).fit(COUNTS)
    assert made.intervene(on=0).after.sum() == pytest.approx(1)
    with pytest.raises(ConfigurationError, match="continuous layers"):
        made.intervene(on=0, given=COUNTS[:1])
