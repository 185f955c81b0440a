"""Documents that are streamed: every one once a pass, the same whoever reads them."""

import threading
from itertools import chain

import pytest
import torch

from tests.training.objectives import counts, objective
from topicfactors.errors import ConfigurationError
from topicfactors.training.distributed import ALONE, World
from topicfactors.training.schedules import Schedule
from topicfactors.training.stored import AHEAD, StoredDocuments, joined, lanes
from topicfactors.training.trainer import Trainer

SIZES = [40, 40, 25, 40, 15]
ALL = counts(sum(SIZES))._replace(responses=torch.arange(160.0))  # which document is which


def read(number):
    start = sum(SIZES[:number])
    return ALL.select(torch.arange(start, start + SIZES[number]))


def stored(world=ALONE):
    return StoredDocuments(read, SIZES, torch.device("cpu"), world)


def which(batch):
    return batch.responses.int().tolist()


def test_every_document_comes_once_a_pass_and_passes_differ():
    passes = stored().passes(16, 0)
    first, second = ([which(batch) for batch in passes.after(0)] for _ in range(2))
    assert len(first) == len(passes) == 10
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(160))
    assert first != second
    assert all(abs(len(batch) - 16) <= len(SIZES) for batch in first)


def test_a_batch_has_the_words_of_its_documents_and_their_rows():
    source = stored()
    in_rows = source.first(160)
    for batch in source.passes(16, 0).after(0):
        theirs = ALL.counts.select(torch.tensor(which(batch)))
        assert torch.equal(batch.counts.indices, theirs.indices)
        assert torch.equal(batch.counts.values, theirs.values)
        assert torch.equal(batch.counts.offsets, theirs.offsets)
        assert torch.equal(in_rows.responses[batch.rows], batch.responses)


def test_a_batch_mixes_shards():
    shard_of = torch.repeat_interleave(torch.arange(len(SIZES)), torch.tensor(SIZES))
    seen = [len(set(shard_of[which(batch)].tolist())) for batch in stored().passes(16, 0).after(0)]
    assert min(seen) >= 3


def test_a_pass_goes_on_where_it_was_left():
    whole, later = stored().passes(16, 3), stored().passes(16, 3)
    for steps in (4, 10, 0):
        rest = [which(batch) for batch in whole.after(0)][steps:]
        assert [which(batch) for batch in later.after(steps)] == rest
    whole.skip()
    again = stored().passes(16, 3)
    for _ in range(4):
        again.skip()
    assert [which(b) for b in whole.after(0)] == [which(b) for b in again.after(0)]


def test_processes_share_the_batches_of_one():
    alone = [set(which(batch)) for batch in stored().passes(16, 0).after(0)]
    shares = [stored(World(rank, 2)) for rank in range(2)]
    assert sum(share.total for share in shares) == 160
    parts = [[set(which(batch)) for batch in share.passes(16, 0).after(0)] for share in shares]
    assert [first | second for first, second in zip(*parts, strict=True)] == alone
    assert all(first.isdisjoint(second) for first, second in zip(*parts, strict=True))


def test_more_processes_than_parts_are_refused():
    with pytest.raises(ConfigurationError, match=r"9 processes cannot share 5 shards .* smaller"):
        stored(World(0, 9))


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([10] * 40, 16), ([100, 100, 1], 2), ([7], 1), ([0, 5, 0], 1), ([50, 5, 5, 5], 1)],
)
def test_lanes_are_even(sizes, count):
    dealt = lanes(sizes, 16)
    assert len(dealt) == count
    assert sorted(chain(*dealt)) == [n for n, size in enumerate(sizes) if size]


def test_what_goes_wrong_while_reading_is_told():
    def broken(number):
        if number == 3:
            raise OSError("the disk is gone")
        return read(number)

    source = StoredDocuments(broken, SIZES, torch.device("cpu"))
    with pytest.raises(OSError, match="the disk is gone"):
        list(source.passes(16, 0).after(0))


def test_the_reader_stops_when_nobody_listens():
    batches = stored().passes(4, 0).after(0)
    next(batches)
    batches.close()
    assert "topicfactors-reader" not in {thread.name for thread in threading.enumerate()}


def test_the_reader_is_at_most_so_far_ahead():
    opened = []

    def noted(number):
        opened.append(number)
        return read(number)

    source = StoredDocuments(noted, [40, 40, 25, 40, 15], torch.device("cpu"))
    batches = source.passes(4, 0).after(0)
    next(batches)
    assert len(opened) <= len(source.lanes) + AHEAD
    batches.close()


def test_joined_documents_are_those_of_the_parts():
    again = joined([read(number) for number in range(len(SIZES))])
    for name in ("indices", "offsets", "values"):
        assert torch.equal(getattr(again.counts, name), getattr(ALL.counts, name))


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax"])
def test_a_training_learns_as_much_from_a_stream(inference):
    held, schedule = counts(60, seed=1), Schedule(12, 16, 2e-2, 0.0)
    found = []
    for source in (ALL, stored()):
        source = source._replace(responses=None) if source is ALL else source
        torch.manual_seed(0)
        history = Trainer(objective(inference=inference), schedule, 0).fit(source, held)
        found.append(history.epochs[-1].held_out)
    assert found[1] == pytest.approx(found[0], rel=5e-3)
