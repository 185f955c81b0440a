"""Where memory runs out a step is made in parts, with the same gradient."""

import warnings

import pytest
import torch

from tests.training.objectives import counts, objective, same, weights_of
from topicfactors import FitError, FitWarning
from topicfactors.training.distributed import World
from topicfactors.training.halving import is_out_of_memory, parts, tried
from topicfactors.training.steps import Stepper
from topicfactors.training.trainer import Schedule, Trainer
from topicfactors.training.watching import score

SCHEDULE = Schedule(epochs=3, batch_size=32, learning_rate=1e-2, kl_warmup=0.0)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …"),
    MemoryError(),
]


def narrow(made, most, error=ERRORS[0]):
    """The same objective, which has room for so many documents, and says so late."""
    forward, watched, sizes = made.forward, made.watched, []

    def tight(batch, kl_weight=1.0):
        found = forward(batch, kl_weight)
        sizes.append(len(batch.rows))
        if len(batch.rows) > most:
            raise error
        return found

    def tightly(batch):
        if len(batch.rows) > most:
            raise error
        return watched(batch)

    made.forward, made.watched = tight, tightly
    return sizes


def gradients(made, batch):
    step = Stepper(made, SCHEDULE)
    bound = step._differentiate(batch, 1.0)
    return bound, {name: part.grad for name, part in made.named_parameters()}, step


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "cpu", "python"])
@pytest.mark.parametrize("inference", ["exact", "truncated"])  # those that draw nothing
def test_the_gradient_is_that_of_the_whole_batch(inference, error):
    options = {"inference": inference, "overlap_penalty": 1.0, "encoder": "bag-of-words:dropout=0"}
    documents = counts(50)
    whole, narrowed = objective(**options), objective(**options)
    rows = torch.arange(50)
    bound, before, _ = gradients(whole, documents.batch(rows, whole.memory(50)))
    sizes = narrow(narrowed, 13, error)
    with pytest.warns(FitWarning, match="with 50 documents at once.*parts of 13"):
        found, after, step = gradients(narrowed, documents.batch(rows, narrowed.memory(50)))
    assert sizes == [50, 25, 13, 13, 12, 12]
    assert step.at_once == 13
    assert torch.allclose(bound, found, rtol=1e-5)
    for name, gradient in before.items():
        if gradient is None:
            assert after[name] is None
        else:
            assert torch.allclose(gradient, after[name], rtol=1e-4, atol=1e-6), name


def test_it_stays_halved_and_says_so_once():
    made = objective()
    sizes = narrow(made, 10)
    trainer = Trainer(made, SCHEDULE, 0)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        history = trainer.fit(counts(96), counts(40, seed=1))
    assert len(heard) == 1
    assert len(history.epochs) == 3
    assert sizes[:2] == [32, 16]  # 32, 16 do not fit; 8 do
    assert set(sizes[2:]) == {8}
    assert trainer.state_dict()["at_once"] == 8


class Counting:
    """A memory that notes who comes."""

    fresh = True

    def __init__(self, memory):
        self.memory, self.reads, self.writes = memory, [], []

    def read(self, rows):
        self.reads += rows.tolist()
        return self.memory.read(rows)

    def write(self, rows, words):
        self.writes += rows.tolist()
        self.memory.write(rows, words)


@pytest.mark.parametrize(
    "options", [{"inference": "truncated"}, {"inference": "rloo", "posterior": "free"}], ids=str
)
def test_what_is_known_of_documents_is_read_and_written_once(options):
    made = objective(**options)
    memory, rows = Counting(made.memory(60)), torch.arange(60).flip(0)[:40]
    before = made.memory(60).state_dict()["kept"].clone()
    narrow(made, 9)
    with pytest.warns(FitWarning):
        Stepper(made, SCHEDULE)(counts(60).batch(rows, memory), 0.5)
    assert memory.reads == memory.writes == rows.tolist()
    kept = memory.memory.state_dict()["kept"]
    changed = (kept != before).flatten(1).any(1)
    assert changed[rows].float().mean() > 0.9
    assert not changed[:20].any()


def test_in_parts_the_memory_is_that_of_the_whole():
    documents, rows = counts(40), torch.arange(40)
    kept = []
    for most in (40, 7):
        made = objective(inference="truncated")
        memory, step = made.memory(40), Stepper(made, SCHEDULE)
        step.at_once = most
        step(documents.batch(rows, memory), 0.5)
        kept.append(memory.state_dict())
    assert torch.equal(kept[0]["kept"], kept[1]["kept"])
    assert kept[0]["visited"] == kept[1]["visited"] == 40


def test_scores_are_made_in_parts_too():
    made, documents = objective(inference="truncated"), counts(60)
    before = score(made, documents, made.memory(60))
    narrow(made, 7)
    after = score(made, documents, made.memory(60))
    assert after == pytest.approx(before, rel=1e-6)


def test_a_single_document_that_does_not_fit_is_an_error():
    made = objective()
    sizes = narrow(made, 0)
    with pytest.raises(FitError, match="with a single document; take fewer words") as refused:
        Trainer(made, SCHEDULE, 0).fit(counts(96), None)
    assert "\n" not in str(refused.value)
    assert sizes == [32, 16, 8, 4, 2, 1]


def test_one_of_several_processes_cannot_halve(monkeypatch):
    made = objective()
    narrow(made, 1)
    step = Stepper(made, SCHEDULE)
    step.world = World(0, 2)
    monkeypatch.setattr(World, "total", lambda self, numbers: 2 * numbers)
    with pytest.raises(FitError, match=r"in one of 2 processes.*smaller batch_size"):
        step(counts(20).batch(torch.arange(20)), 0.5)


def test_other_errors_go_up():
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        tried(lambda: (_ for _ in ()).throw(RuntimeError("shapes do not match")))


def test_a_batch_that_is_not_parted_is_the_batch():
    batch = counts(20).batch(torch.arange(20))
    ((whole, share),) = parts(batch, None)
    assert (whole is batch, share) == (True, 1.0)
    shares = [part.share for part in parts(batch, 6)]
    assert shares == [0.25] * 4


def test_a_training_with_room_is_what_it_was():
    first, second = objective(), objective()
    torch.manual_seed(0)
    Trainer(first, SCHEDULE, 0).fit(counts(96), None)
    narrow(second, 1000)
    torch.manual_seed(0)
    Trainer(second, SCHEDULE, 0).fit(counts(96), None)
    assert same(weights_of(first), weights_of(second))
