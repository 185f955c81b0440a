"""Progress on stderr: plain lines where there is no terminal, nothing when quiet."""

import pytest

from topicfactors.cli.progress import Display
from topicfactors.training.callbacks import Epoch


def epoch(number, held_out=-80.0, of=25):
    return Epoch(number, of, -81.23, 123.4, held_out, 3, 1.0, 0.01, 2.0)


@pytest.mark.parametrize(
    ("of", "told"),
    [(40, (1, 10, 20, 30, 40)), (25, (1, 6, 12, 18, 24)), (6, (1, 2, 3, 4, 5, 6)), (1, (1,))],
)
def test_the_first_epoch_and_every_quarter_are_a_line(of, told, capsys):
    display = Display(quiet=False)
    with display.training() as shown:
        for number in range(1, of + 1):
            shown(epoch(number, of=of))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"epoch {number}/{of}: bound -81.2 nats  held-out perplexity 123  3 active, 2 s"
        for number in told
    ]


def test_without_held_out_documents_the_perplexity_is_that_of_training(capsys):
    with Display(quiet=False).training() as shown:
        shown(epoch(1, held_out=None))
    assert "training perplexity 123" in capsys.readouterr().err


@pytest.mark.parametrize("quiet", [True, False])
def test_texts_pass_through_and_quiet_is_silent(capsys, quiet):
    display = Display(quiet)
    assert list(display.reading(iter(["a", "b"]))) == ["a", "b"]
    display.say("[bold] is no markup here")
    with display.training() as shown:
        shown(epoch(1))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("[bold] is no markup here\nepoch 1/25") is not quiet
    assert (err == "") is quiet


def test_a_long_line_is_not_wrapped(capsys):
    Display(quiet=False).say("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_of_trainings_after_the_first_one_line_comes_in_a_while(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("topicfactors.cli.progress.time.monotonic", lambda: clock[0])
    with Display(quiet=False).training() as shown:
        for _ in range(10):
            shown(epoch(1))
            clock[0] += 2
    begun = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    later = [f"training {number}, epoch 1/25" for number in (4, 7, 10)]
    assert begun == ["epoch 1/25", *later]
