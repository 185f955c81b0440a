"""Vocabularies before and after: divergences and interactions against their definitions."""

import numpy as np
import pytest

from topicfactors.insight.interventions import (
    Intervention,
    Switched,
    divergences,
    interaction,
    switch,
)

WORDS = np.array(["steam", "engine", "comet", "the"], dtype=object)
BEFORE = np.array([0.1, 0.1, 0.4, 0.4])
AFTER = np.array([0.4, 0.15, 0.05, 0.4])


def found(presence=False):
    apart = divergences(BEFORE, AFTER, presence)
    made = [Switched("steam", True, 0.25, ["steam", "engine"])]
    return Intervention(made, "prevalence", presence, WORDS, BEFORE, AFTER, *apart)


def test_divergences_are_those_of_the_definition():
    kl, js = divergences(BEFORE, AFTER)
    middle = (BEFORE + AFTER) / 2
    assert kl == pytest.approx((AFTER * np.log(AFTER / BEFORE)).sum())
    halves = [(p * np.log(p / middle)).sum() for p in (BEFORE, AFTER)]
    assert js == pytest.approx(sum(halves) / 2)
    assert divergences(BEFORE, BEFORE) == (0.0, 0.0)


def test_presences_are_apart_word_by_word():
    each = [
        divergences(np.array([p, 1 - p]), np.array([q, 1 - q]))
        for p, q in zip(BEFORE, AFTER, strict=True)
    ]
    assert divergences(BEFORE, AFTER, True) == pytest.approx(np.sum(each, 0))


def test_distributions_without_a_word_in_common_are_log_two_apart():
    assert divergences(np.array([1.0, 0.0]), np.array([0.0, 1.0]))[1] == pytest.approx(np.log(2))


def test_gains_and_losses_are_told_apart_and_sorted():
    assert [moved.word for moved in found().gains()] == ["steam", "engine"]
    assert [moved.word for moved in found().losses()] == ["comet"]
    first = found().gains(1)
    assert [first[0].before, first[0].after] == [0.1, 0.4]
    assert first[0].nats == pytest.approx(np.log(4))
    assert found().table()["nats"] == pytest.approx(np.log(AFTER / BEFORE))


def test_the_text_says_what_was_done_and_what_moved():
    text = str(found())
    assert text.startswith("factor steam (steam engine) on, before on with 0.25\n")
    assert "the other factors at their prevalence: KL" in text
    assert "a token" in text
    assert "10.000% →  40.000%  +1.39 nats" in text
    assert "nats a document" in str(found(presence=True))
    still = found()._replace(after=BEFORE)
    assert str(still).endswith("gain: no word\nlose: no word")


def test_an_interaction_is_a_second_difference():
    """Log-linear: the same for every word, minus the second difference of the normaliser."""
    generator = np.random.default_rng(0)
    bias, first, second = generator.normal(size=(3, 4))
    logits = np.stack([bias, bias + first, bias + second, bias + first + second])
    four = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    norms = np.log(np.exp(logits).sum(1))
    nats, spread, words = interaction(four, WORDS)
    assert nats == pytest.approx(-(norms[3] - norms[1] - norms[2] + norms[0]))
    assert (spread, words) == (0.0, [])


def test_words_that_interact_each_in_its_own_way_are_named():
    four = np.array([BEFORE, BEFORE, BEFORE, AFTER])
    nats, spread, words = interaction(four, WORDS)
    each = np.log(AFTER / BEFORE)
    assert nats == pytest.approx(AFTER @ each)
    assert spread == pytest.approx(np.sqrt(AFTER @ (each - nats) ** 2))
    assert words[0] == ("steam", pytest.approx(np.log(4)))


def test_switching_leaves_the_states_as_they_were():
    states = np.full((2, 3), 0.5)
    assert switch(states, [0], [2]).tolist() == [[1.0, 0.5, 0.0]] * 2
    assert (states == 0.5).all()
