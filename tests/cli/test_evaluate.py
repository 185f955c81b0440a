"""``topicfactors evaluate``: bounds beside the unigram, coherence, diversity, active factors."""

import json

import numpy as np
import pytest

from topicfactors import BinaryFactorModel, load, read_corpus, save
from topicfactors.cli.readings import annealed
from topicfactors.insight.topics import status


@pytest.fixture(scope="module")
def counts(fitted, corpus):
    return load(fitted / "model")[0].transform(read_corpus(corpus).texts)


def evaluated(call, *arguments):
    outcome = call("evaluate", *arguments, "--json")
    assert outcome.status == 0, outcome.err
    return json.loads(outcome.out, parse_constant=pytest.fail)


def test_json_has_what_python_measures(call, fitted, corpus, counts):
    model = load(fitted / "model")[-1]
    found = evaluated(call, fitted, corpus, "--bound", "iwae", "--bound", "elbo", "--samples", "7")
    assert [scores["bound"] for scores in found["bounds"]] == ["iwae", "elbo"]
    for scores in found["bounds"]:
        expected = model.evaluate(counts, bound=scores["bound"], samples=7)
        assert scores["samples"] == 7
        for name in ("perplexity", "unigram"):
            assert scores[name] == pytest.approx(getattr(expected, name)._asdict(), rel=1e-5)
    posteriors = model.transform(counts)
    states = status(posteriors.mean(0), posteriors.var(0))  # of these documents
    assert found["active_factors"] == states.count("active")
    assert found["npmi"] == pytest.approx(model.coherence(counts).mean())
    assert found["diversity"] == model.diversity()
    assert found["on_per_document"] == pytest.approx((posteriors > 0.5).sum(1).mean())
    assert found["documents_read"] == 45
    assert found["tokens"] == counts.sum()
    assert found["c_v"] is None


def test_the_table_has_the_ladder_and_the_unigram_last(call, fitted, corpus):
    outcome = call("evaluate", fitted, corpus)
    lines = outcome.out.splitlines()
    names = [line.split()[0] for line in lines[1 : lines.index("")]]
    assert names == ["exact", "truncated", "ELBO", "IWAE", "unigram"]
    assert "45 documents" in outcome.out
    assert "of 3 factors tell these documents apart" in outcome.out


def test_annealing_is_named_with_its_chains_and_temperatures(call, refused, fitted, corpus, counts):
    options = ("--bound", "ais", "--samples", "4", "--temperatures", "10")
    (scores,) = evaluated(call, fitted, corpus, *options)["bounds"]
    model = load(fitted / "model")[-1]
    expected = model.evaluate(counts, bound="ais", samples=4, temperatures=10)
    assert (scores["bound"], scores["samples"], scores["temperatures"]) == ("ais", 4, 10)
    assert scores["nats_per_document"] == pytest.approx(expected.log_prob, abs=1e-3)
    assert scores["standard_error"] == pytest.approx(expected.standard_error, rel=1e-3)
    line = call("evaluate", fitted, corpus, *options).out.splitlines()[1]
    assert line.split()[:4] == ["AIS", "4", "x", "10"]
    assert "±" in line
    status_, said = refused("evaluate", fitted, corpus, "--temperatures", "5")
    assert status_ == 2
    assert "are of --bound ais" in said


def test_completion_has_a_unigram_of_its_own(call, fitted, corpus, counts):
    outcome = call("evaluate", fitted, corpus, "--bound", "elbo", "--bound", "completion")
    lines = outcome.out.splitlines()
    rows = [line.split() for line in lines[1 : lines.index("")]]
    assert [row[0] for row in rows] == ["ELBO", "unigram", "completion", "unigram"]
    found = load(fitted / "model")[-1].evaluate(counts, bound="completion")
    assert rows[2][-1] == f"{found.perplexity.corpus:.1f}"
    assert rows[3][-1] == f"{found.unigram.corpus:.1f}" != rows[1][-1]


def test_c_v_reads_the_texts_once_more(call, fitted, corpus):
    found = evaluated(call, fitted, corpus, "--bound", "elbo", "--c-v")
    assert 0 < found["c_v"]["mean"] < 1
    assert found["c_v"]["factors"] == 3


def test_c_v_says_what_it_leaves_out(call, fitted, tmp_path):
    (tmp_path / "t.txt").write_text("steam engine piston\n" * 3)
    outcome = call("evaluate", fitted, tmp_path / "t.txt", "--bound", "elbo", "--c-v")
    assert "C_V unknown" in outcome.out


def test_few_documents_do_not_make_a_factor_dead(call, fitted, tmp_path):
    (tmp_path / "t.txt").write_text("steam engine piston boiler\n")
    found = evaluated(call, fitted, tmp_path / "t.txt", "--bound", "elbo")
    assert sorted(found["off_in_all"] + found["on_in_all"]) == [0, 1, 2]
    assert "dead_factors" not in found


def test_every_bound_of_an_exact_run_is_one_and_says_so(call, refused, corpus, tmp_path):
    options = ("-k", "3", "--inference", "exact", "--epochs", "1", "--min-df", "1", "-q")
    assert call("fit", corpus, "-o", tmp_path / "run", *options).status == 0
    outcome = call("evaluate", tmp_path / "run", corpus, "--bound", "elbo", "--bound", "iwae")
    assert "so is every bound" in outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()[1:3]] == ["exact", "unigram"]
    status_, line = refused("evaluate", tmp_path / "run", corpus, "--samples", "5")
    assert status_ == 2
    assert "draws nothing" in line


def test_documents_without_words_are_left_out_and_counted(call, fitted, tmp_path):
    (tmp_path / "t.txt").write_text("steam engine piston boiler\n\nnothing known\n")
    outcome = call("evaluate", fitted, tmp_path / "t.txt", "--bound", "elbo")
    assert outcome.status == 0
    assert "3 documents, 4 tokens; 2 without known words left out" in outcome.out
    assert "1 document is kept as an empty row" in outcome.err


def test_counts_are_scored_by_a_model_of_counts(call, tmp_path, counts):
    import scipy.io

    scipy.io.mmwrite(tmp_path / "c.mtx", counts)
    fit = ("-k", "3", "--epochs", "2", "--threads", "1", "-q")
    assert call("fit", tmp_path / "c.mtx", "-o", tmp_path / "run", *fit).status == 0
    found = evaluated(call, tmp_path / "run", tmp_path / "c.mtx", "--bound", "elbo")
    assert found["tokens"] == counts.sum()
    outcome = call("transform", tmp_path / "run", tmp_path / "c.mtx", "-q")
    assert len(outcome.out.splitlines()) == 1 + 45
    assert call("topics", tmp_path / "run").status == 0


def test_counts_of_the_run_s_words_do_for_a_run_of_texts(call, fitted, tmp_path, counts, corpus):
    import scipy.io

    scipy.io.mmwrite(tmp_path / "c.mtx", counts)
    from_counts = evaluated(call, fitted, tmp_path / "c.mtx", "--bound", "elbo")
    from_texts = evaluated(call, fitted, corpus, "--bound", "elbo")
    assert from_counts["bounds"] == from_texts["bounds"]


def test_a_bound_that_makes_no_sense_is_refused_before_reading(refused, fitted, tmp_path):
    status_, line = refused("evaluate", fitted, "lee", "--bound", "exactly")
    assert status_ == 2
    assert "did you mean 'exact'?" in line


def test_a_pipeline_of_the_model_alone_reads_counts_too(call, fitted, tmp_path, counts):
    import scipy.io

    save(load(fitted / "model")[1:], tmp_path / "alone")
    scipy.io.mmwrite(tmp_path / "c.mtx", counts)
    assert call("transform", tmp_path / "alone", tmp_path / "c.mtx", "-q").status == 0
    assert call("explain", tmp_path / "alone", tmp_path / "c.mtx", "--id", "0").status == 0
    found = evaluated(call, tmp_path / "alone", tmp_path / "c.mtx", "--bound", "elbo")
    assert found["documents_read"] == 45


def test_a_log_z_that_is_not_summed_is_said_beside_the_scores():
    counts = np.random.default_rng(0).poisson(1.0, (50, 8))
    fitted = BinaryFactorModel(3, prior="boltzmann", max_iter=1, random_state=0).fit(counts)
    assert annealed(fitted) == ""  # three factors are summed over
    fitted.objective_.joint.prior.spread.fill_(0.25)
    assert "annealed (± 0.250 nats)" in annealed(fitted)
    fitted = BinaryFactorModel(3, max_iter=1, random_state=0).fit(counts)
    assert annealed(fitted) == ""
