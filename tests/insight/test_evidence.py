"""Evidence adds up to the log-odds, under every likelihood and decoder."""

import itertools
import re

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import model, planted
from topicfactors import BinaryFactorModel, ConfigurationError
from topicfactors.contracts import Batch
from topicfactors.corpus.counts import Counts
from topicfactors.insight.evidence import shares
from topicfactors.model.likelihoods import LIKELIHOODS, Multinomial

CORPUS = planted(documents=120)


@pytest.fixture(scope="module", params=sorted(LIKELIHOODS))
def fitted(request):
    return model(likelihood=request.param, max_iter=3).fit(CORPUS.counts)


def target_of(found, counts):
    """The model of some documents."""
    batch = Batch(Counts.from_scipy(counts), None, None, torch.arange(counts.shape[0]))
    return found.objective_.joint.condition(batch)


def flips(found, counts, bits):
    """log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest) by evaluating both, in double."""
    joint = found.objective_.joint.double()
    target = target_of(found, counts)
    columns = []
    for factor in range(bits.shape[1]):
        on, off = bits.clone(), bits.clone()
        on[:, factor], off[:, factor] = 1.0, 0.0
        columns.append((target.log_joint(on[None]) - target.log_joint(off[None]))[0])
    joint.float()
    return torch.stack(columns, 1)


def test_evidence_is_the_log_odds_taken_apart(fitted):
    counts = CORPUS.counts[:7]
    found = fitted.explain(counts)
    states = np.zeros((7, 4))
    for row, explanation in enumerate(found):
        states[row, explanation.state] = 1
    exact = flips(fitted, counts, torch.tensor(states))
    for row, explanation in enumerate(found):
        assert sorted(f.factor for f in explanation.factors) == [0, 1, 2, 3]
        for factor in explanation.factors:
            assert factor.log_odds == pytest.approx(exact[row, factor.factor].item(), abs=1e-6)
            total = factor.prior + factor.rest + sum(word.nats for word in factor.words)
            assert factor.log_odds == pytest.approx(total)
            assert len(factor.words) == counts[row].nnz


def test_what_belongs_to_no_word_is_named(fitted):
    found = fitted.explain(CORPUS.counts[:1])[0]
    named = {"poisson": "length", "bernoulli": "absent words"}
    assert found.remainder == named.get(fitted.likelihood, "")
    rests = [abs(factor.rest) for factor in found.factors]
    assert (max(rests) > 1e-3) == bool(found.remainder)
    assert not found.remainder or f"{found.remainder} " in str(found)


def test_a_constant_added_to_loadings_moves_no_evidence_where_it_moves_no_probability():
    fitted = model(likelihood="polya", max_iter=2).fit(CORPUS.counts)
    before = fitted.explain(CORPUS.counts[:2])
    with torch.no_grad():
        fitted.objective_.joint.decoder.raw.add_(3.0)
    after = fitted.explain(CORPUS.counts[:2])
    for old, new in zip(before, after, strict=True):
        for first, second in zip(old.factors, new.factors, strict=True):
            assert first.log_odds == pytest.approx(second.log_odds, abs=1e-3)
            assert [w.word for w in first.words][:3] == [w.word for w in second.words][:3]


def test_an_empty_document_has_the_prior_alone():
    fitted = model(max_iter=2).fit(CORPUS.counts)
    found = fitted.explain(CORPUS.counts[:1] * 0)[0]
    assert found.tokens == 0
    assert all(factor.words == [] for factor in found.factors)
    prior = {n: np.log(p / (1 - p)) for n, p in enumerate(fitted.prior_)}
    for factor in found.factors:
        assert factor.log_odds == pytest.approx(prior[factor.factor], abs=1e-4)
    assert "no factor is more likely on than off" in str(found)


@pytest.mark.parametrize(
    "options", [{"decoder": "mlp"}, {"inference": "exact"}, {"inference": "nvil"}]
)
def test_other_decoders_and_inferences_add_up_too(options):
    fitted = model(max_iter=2, **options).fit(CORPUS.counts)
    counts = scipy.sparse.vstack([CORPUS.counts[:2] * 0.37, CORPUS.counts[2:3] * 2000]).tocsr()
    found = fitted.explain(counts)
    states = np.zeros((3, 4))
    for row, explanation in enumerate(found):
        states[row, explanation.state] = 1
        assert explanation.posterior == ("exact" if "exact" in options.values() else "searched")
        probabilities = [factor.probability for factor in explanation.factors]
        assert probabilities == sorted(probabilities, reverse=True)
    exact = flips(fitted, counts, torch.tensor(states))
    for row, explanation in enumerate(found):
        for factor in explanation.factors:
            expected = exact[row, factor.factor].item()
            assert factor.log_odds == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_likelihood_whose_terms_do_not_add_up_is_refused():
    class Halved(Multinomial):
        def assemble(self, counts, logits, linear, norm):
            return super().assemble(counts, logits, linear, norm) / 2

    fitted = model(likelihood=Halved, max_iter=1).fit(CORPUS.counts)
    with pytest.raises(ConfigurationError, match="the terms of Halved do not add up"):
        fitted.explain(CORPUS.counts[:1])


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
def test_what_a_token_tells_by_itself_is_near_what_it_tells_in_a_document(name):
    """The ranking's nats, at the background, against those of a document of that one word."""
    fitted = model(likelihood=name, max_iter=6).fit(CORPUS.counts)
    told = fitted.factors().log_odds
    words = np.flatnonzero(np.asarray(CORPUS.counts.sum(0)).ravel())
    single = scipy.sparse.csr_matrix(np.eye(CORPUS.counts.shape[1])[words])
    found = shares(target_of(fitted, single), torch.zeros(len(words), 4))
    in_document = found.words.detach().numpy()
    if name == "poisson":
        in_document = in_document + found.rest.detach().numpy().T
    assert np.abs(told[:, words] - in_document).max() < 0.35
    assert np.corrcoef(told[:, words].ravel(), in_document.ravel())[0, 1] > 0.98


def test_words_of_the_factor_speak_for_it():
    """Planted blocks: the strongest word for a factor that is on is one of its own eight."""
    fitted = model(max_iter=15).fit(CORPUS.counts)
    loadings = fitted.components_.argsort(1)[:, -8:]
    found = [factor for e in fitted.explain(CORPUS.counts[:20]) for factor in e.on()]
    assert len(found) > 5
    for factor in found:
        assert int(factor.words[0].word) in loadings[factor.factor]


def test_the_guess_of_the_encoder_has_no_state_to_explain():
    fitted = model(max_iter=1).fit(CORPUS.counts)
    with pytest.raises(ConfigurationError, match="refine must be"):
        fitted.explain(CORPUS.counts[:1], refine=0)


def test_text_shows_parts_that_add_up():
    fitted = BinaryFactorModel(4, random_state=0, n_jobs=1).fit(CORPUS.counts)
    lines = str(fitted.explain(CORPUS.counts[:1])[0]).splitlines()
    heads = [line for line in lines if "log-odds" in line]
    assert heads
    for head in heads:
        whole, prior, words = map(float, re.findall(r"[+-]\d+\.\d\d", head))
        assert whole == pytest.approx(prior + words, abs=0.02)
        body = itertools.takewhile(str.strip, lines[lines.index(head) + 1 :])
        listed = [float(nats) for line in body for nats in re.findall(r" ([+-]\d+\.\d\d)", line)]
        assert sum(listed) == pytest.approx(words, abs=0.01 * len(listed) + 0.01)


def test_shares_have_the_shapes_they_say():
    fitted = model(max_iter=1).fit(CORPUS.counts)
    found = shares(target_of(fitted, CORPUS.counts[:3]), torch.zeros(3, 4))
    assert found.prior.shape == found.rest.shape == (3, 4)
    assert found.words.shape == (4, CORPUS.counts[:3].nnz)
