"""What the processes of a training say, without any of them."""

import threading

from topicfactors.engines.relay import Member, Relay, Voice


class Remote:
    """A relay as the processes see it: ``relay.tell.remote(…)``."""

    def __init__(self):
        self.relay = Relay()

    def __getattr__(self, name):
        method = getattr(self.relay, name)
        return type("Method", (), {"remote": staticmethod(method)})


def test_lines_arrive_whole_and_once():
    remote = Remote()
    voice = Voice(remote, "stderr")
    for text in ("epoch ", "1\nepoch 2\nep", "och 3\n"):
        assert voice.write(text) == len(text)
    assert remote.relay.heard() == [("stderr", "epoch 1\nepoch 2\n"), ("stderr", "epoch 3\n")]
    assert remote.relay.heard() == []


def test_a_line_without_an_end_is_told_at_the_end():
    remote = Remote()
    with Voice(remote, "stdout") as voice:
        print("{}", end="", file=voice)
    assert remote.relay.heard() == [("stdout", "{}")]


def test_a_process_that_begins_again_knows_it():
    relay = Relay()
    assert [relay.begin(rank) for rank in (0, 1, 1, 0)] == [0, 0, 1, 1]


def test_the_first_mistake_counts():
    relay = Relay()
    first = ValueError("first")
    relay.fail(first)
    relay.fail(ValueError("second"))
    relay.end(0)
    assert relay.outcome() == (0, first)


def test_who_is_asked_to_stop_hears_it():
    remote, heard, done = Remote(), [], threading.Event()
    remote.relay.ask("Terminated")
    Member(remote, True, False, lambda answer: answer).listen(
        lambda kind: (heard.append(kind), done.set())
    )
    assert done.wait(5)
    assert heard == ["Terminated"]
