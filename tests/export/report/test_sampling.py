import numpy as np

from topicfactors.export.report.excerpts import KEPT, Excerpts
from topicfactors.export.report.sampling import chosen_documents


def test_few_documents_are_all_there():
    assert chosen_documents(np.zeros((5, 2)), [[], []], cap=5).tolist() == [0, 1, 2, 3, 4]


def test_a_rare_factor_has_its_documents_and_the_same_ones_every_time():
    found = np.zeros((1000, 2))
    found[:, 0] = 0.9
    rare = [3, 500, 998]
    found[rare, 1] = 0.9
    standing = [[(10, 0.9)], [(998, 0.9), (3, 0.9)]]
    chosen = chosen_documents(found, standing, cap=50)
    assert len(chosen) == 50
    assert (np.diff(chosen) > 0).all()
    assert {10, *rare} <= set(chosen.tolist())
    np.testing.assert_array_equal(chosen, chosen_documents(found, standing, cap=50))


def test_excerpts_pass_texts_on_and_keep_their_beginnings():
    excerpts, texts = Excerpts(), ["", "Škoda \ud800", "a" * (KEPT + 5)]
    assert list(excerpts.watch(texts)) == texts
    assert excerpts[0] == ("", 0)
    assert excerpts[1].text == "Škoda ?"
    assert excerpts[2] == ("a" * KEPT, KEPT + 5)


def test_a_full_disk_keeps_what_there_is(monkeypatch):
    monkeypatch.setattr("topicfactors.export.report.excerpts.ROOM", 40)
    excerpts = Excerpts()
    texts = ["steam", "engine", "comet " * 200, "late"]
    assert list(excerpts.watch(texts)) == texts
    assert 0 < len(excerpts) < 4
    assert excerpts[0].text == "steam"
