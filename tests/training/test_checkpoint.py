"""Checkpoints: written whole or not at all, gone on from bit for bit, refused in one line."""

import json
import shutil
import warnings

import numpy as np
import pytest
import torch

from tests.estimators.planted import model, planted
from tests.training.objectives import counts, objective
from topicfactors import Checkpoints, ConfigurationError, FitWarning, MixtureModel, StorageError
from topicfactors.training import snapshots
from topicfactors.training.settings import numbers_of, put_numbers
from topicfactors.training.snapshots import read_snapshot, write_snapshot
from topicfactors.training.trainer import Schedule, Trainer

SCHEDULE = Schedule(epochs=6, batch_size=16, learning_rate=1e-2, kl_warmup=0.2)
PRIOR = "boltzmann:exact=0,chains=20,sweeps=1"  # whose chains draw numbers of their own


class Cut:
    """Ends a training after so many steps or epochs, as a kill would: nothing more is saved."""

    def __init__(self, steps=None, epochs=None):
        self.steps, self.epochs, self.made = steps, epochs, 0

    def begun(self, trainer):
        pass

    def stepped(self, trainer):
        self.made += 1
        if self.made == self.steps:
            raise OSError("killed")

    def __call__(self, epoch):
        if epoch.number == self.epochs:
            raise OSError("killed")

    def ended(self, trainer):
        pass


def made(**options):
    torch.manual_seed(3)
    return objective(**options)


def train(folder, *others, seed=5, schedule=SCHEDULE, documents=160, **options):
    """The objective and what became of it."""
    kept = {name: options.pop(name) for name in ("every", "epochs", "keep") if name in options}
    for name in ("resume", "overwrite", "options"):
        if name in options:
            kept[name] = options.pop(name)
    trained = made(**options)
    keepers = [] if folder is None else [Checkpoints(folder, **kept)]
    trainer = Trainer(trained, schedule, seed, [*keepers, *others])
    return trained, trainer.fit(counts(documents), counts(40, seed=1))


def cut(folder, **options):
    with pytest.raises(OSError, match="killed"):
        train(folder, Cut(options.pop("steps", None), options.pop("after", None)), **options)


def same(first, second):
    weights, others = first.state_dict(), second.state_dict()
    assert numbers_of(first) == numbers_of(second)
    return all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize(
    "options",
    [
        {"inference": "truncated"},
        {"inference": "nvil"},
        {"inference": "relax"},
        {"inference": "double-cv"},
        {"inference": "dvae", "prior": PRIOR},
        {"inference": "rloo", "posterior": "free"},
        {"inference": "dvae", "posterior": "autoregressive"},
        {"inference": "gumbel-softmax", "continuous_layers": 1},
        {"inference": "gumbel-softmax", "likelihood": "polya"},
    ],
    ids=str,
)
@pytest.mark.parametrize("steps", [23, 30])  # amid an epoch of ten steps, and at its end
def test_killed_and_resumed_is_the_same_bit_for_bit(tmp_path, options, steps):
    whole, history = train(None, **options)
    cut(tmp_path, steps=steps, every=1e-9, **options)
    torch.manual_seed(99)
    second, resumed = train(tmp_path, resume=True, **options)
    assert [epoch[:-1] for epoch in resumed.epochs] == [epoch[:-1] for epoch in history.epochs]
    assert resumed.best == history.best
    assert same(whole, second)


def test_a_training_that_was_over_is_not_repeated(tmp_path):
    whole, history = train(tmp_path)
    steps = Cut(steps=1)
    second, resumed = train(tmp_path, steps, resume=True)
    assert steps.made == 0
    assert (resumed.epochs, resumed.best) == (history.epochs, history.best)
    assert same(whole, second)


def test_the_last_few_are_kept_and_nothing_else_of_ours(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / ".training-001-epoch-000001-step-000000001.safetensors-x").write_text("half")
    train(tmp_path, keep=3)
    numbers = [f"training-001-epoch-{number:06d}-step-000000000" for number in (5, 6, 7)]
    names = {f"{name}{suffix}" for name in numbers for suffix in (".json", ".safetensors")}
    assert {path.name for path in tmp_path.iterdir()} == names | {"mine.txt"}
    kept = Checkpoints(tmp_path)
    kept.forget()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_by_time_and_by_epoch(tmp_path):
    cut(tmp_path / "none", steps=59, every=None, epochs=None)
    assert not list((tmp_path / "none").glob("*"))
    cut(tmp_path / "second", steps=59, every=None, epochs=2, keep=9)
    names = sorted(path.stem for path in (tmp_path / "second").glob("*.json"))
    assert [name[13:25] for name in names] == ["epoch-000003", "epoch-000005"]
    train(tmp_path / "end", every=None, epochs=None)
    assert len(list((tmp_path / "end").glob("*.json"))) == 1


def test_checkpoints_that_nobody_mentions_are_kept(tmp_path):
    train(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StorageError, match=r"resume=True.*overwrite=True"):
        train(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    cut(tmp_path, after=1, overwrite=True)
    assert [path.name[13:25] for path in tmp_path.glob("*.json")] == ["epoch-000002"]


def test_nothing_to_go_on_from_is_said(tmp_path):
    with pytest.warns(FitWarning, match="no checkpoint to go on from"):
        first, _ = train(tmp_path / "new", resume=True)
    assert same(first, train(None)[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seed": 6}, "seed 5, now 6"),
        ({"schedule": Schedule(epochs=7, batch_size=16)}, "epochs 6, now 7"),
        ({"documents": 161}, r"the documents \(160, now 161\)"),
        ({"inference": "nvil"}, "gradient 'GumbelSoftmax', now 'NVIL'"),
        ({"inference": "gumbel-softmax:end=0.3"}, "gradient.end 0.4, now 0.3"),
        ({"options": {"epochs": 6}}, "epochs nothing, now 6"),
    ],
)
def test_a_checkpoint_of_another_fit_is_refused_by_what_differs(tmp_path, changed, said):
    cut(tmp_path, after=2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigurationError, match=said) as refused:
        train(tmp_path, resume=True, **changed)
    assert "\n" not in str(refused.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_documents_of_the_same_number_are_refused(tmp_path):
    cut(tmp_path, after=1)
    trainer = Trainer(made(), SCHEDULE, 5, [Checkpoints(tmp_path, resume=True)])
    with pytest.raises(ConfigurationError, match=r"the documents \(as many, but others\)"):
        trainer.fit(counts(160, seed=9), counts(40, seed=1))


def truncated(path):
    path.write_bytes(path.read_bytes()[:-40])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(bytes(data))


def foreign(path):
    path.write_text('{"steam": "engine"}')


DAMAGES = [
    (truncated, ".safetensors"),
    (flipped, ".safetensors"),
    (lambda path: path.unlink(), ".safetensors"),
    (foreign, ".safetensors"),
    (truncated, ".json"),
    (foreign, ".json"),
]


@pytest.mark.parametrize(("damage", "suffix"), DAMAGES)
def test_a_torn_checkpoint_gives_way_to_the_one_before(tmp_path, damage, suffix):
    cut(tmp_path, after=3)
    *_, last = sorted(tmp_path.glob(f"*{suffix}"))
    damage(last)
    with pytest.warns(FitWarning, match="goes on from the checkpoint before, .*epoch-000003"):
        second, _ = train(tmp_path, resume=True)
    assert same(train(None)[0], second)


@pytest.mark.parametrize(("damage", "suffix"), DAMAGES)
def test_where_none_can_be_read_it_is_refused(tmp_path, damage, suffix):
    cut(tmp_path, after=3)
    for path in tmp_path.glob(f"*{suffix}"):
        damage(path)
    with pytest.raises(StorageError, match="no other checkpoint to go on from") as refused:
        train(tmp_path, resume=True)
    assert "\n" not in str(refused.value)


def test_a_state_of_other_shapes_is_damage(tmp_path):
    cut(tmp_path, after=1, keep=1)
    (path,) = (path.with_suffix("") for path in tmp_path.glob("*.json"))
    found = read_snapshot(path)
    found.state["objective"]["joint.decoder.bias"] = torch.zeros(3)
    write_snapshot(path, found.state, found.facts)
    with pytest.raises(StorageError, match="damaged"):
        train(tmp_path, resume=True)


def test_where_it_cannot_be_written_training_goes_on(tmp_path, monkeypatch):
    cut(tmp_path, after=1)
    before = {path.name for path in tmp_path.iterdir()}

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshots, "_write_tensors", full)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        second, _ = train(tmp_path, resume=True)
    told = [str(each.message) for each in heard if "checkpoint" in str(each.message)]
    assert len(told) == 1
    assert "No space left on device; training goes on" in told[0]
    assert {path.name for path in tmp_path.iterdir()} == before
    assert same(train(None)[0], second)


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(StorageError, match="cannot be written"):
        train(tmp_path / "new")


def test_it_is_told_to_stop_after_the_step(tmp_path):
    kept, interruption = Checkpoints(tmp_path, every=None, epochs=None), KeyboardInterrupt()

    class Stop(Cut):
        def stepped(self, trainer):
            self.made += 1
            assert kept.at_work
            if self.made == 13:
                kept.stop(interruption)

    stop = Stop()
    trainer = Trainer(made(), SCHEDULE, 5, [stop, kept])
    history = trainer.fit(counts(160), counts(40, seed=1))
    assert (history.interruption, stop.made, kept.at_work) == (interruption, 13, False)
    assert [path.name[13:] for path in tmp_path.glob("*.json")] == [
        "epoch-000002-step-000000003.json"
    ]
    second, _ = train(tmp_path, resume=True)
    assert same(train(None)[0], second)


def test_other_threads_are_said(tmp_path):
    cut(tmp_path, after=1)
    for path in tmp_path.glob("*.json"):
        found = json.loads(path.read_text())
        found["facts"]["circumstances"]["torch"] = "1.0"
        path.write_text(json.dumps(found))
    with pytest.warns(FitWarning, match="torch '1.0', now"):
        train(tmp_path, resume=True)


def test_numbers_beside_the_tensors_are_kept():
    first, second = made(prior=PRIOR), made(prior=PRIOR)
    first.joint.prior.steps = 7
    first.gradient.temperature = 0.123456789
    put_numbers(second, numbers_of(first))
    assert (second.joint.prior.steps, second.gradient.temperature) == (7, 0.123456789)


def test_a_snapshot_comes_back(tmp_path):
    state = {
        "none": None,
        1: [True, 2, 0.1, float("-inf"), "text"],
        "tensors": [
            torch.zeros(()),
            torch.arange(5, dtype=torch.int16),
            torch.tensor([True, False, True]),
            torch.randn(3, 2).bfloat16(),
            torch.randn(2, 3).t(),
            torch.zeros(0, 4),
            torch.randn(3, dtype=torch.float64),
        ],
    }
    facts = {"options": {}, "configuration": {"seed": 1}, "circumstances": {}}
    write_snapshot(tmp_path / "a", state, facts)
    found = read_snapshot(tmp_path / "a")
    assert found.facts == facts
    assert found.state["none"] is None
    assert found.state[1] == state[1]
    for before, after in zip(state["tensors"], found.state["tensors"], strict=True):
        assert before.dtype == after.dtype
        assert torch.equal(before, after)


@pytest.fixture(scope="module")
def notes():
    return planted(factors=3, documents=150).counts


class KilledError(Exception):
    pass


def killed_after(training, epoch):
    """A callback that ends a fit in one of its trainings."""
    begun = []

    def callback(event):
        begun.extend([1] * (event.number == 1))
        if (len(begun), event.number) == (training, epoch):
            raise KilledError

    return callback


@pytest.mark.parametrize(
    ("estimator", "training"),
    [
        (lambda: model(3, max_iter=4, random_state=0), 1),
        (lambda: model(3, max_iter=4, random_state=0, n_runs=2), 2),
        (lambda: model("auto:most=8", max_iter=3, random_state=0), 2),
        (lambda: MixtureModel(3, inference="exact", max_iter=4, random_state=0), 1),
        (lambda: MixtureModel(3, inference="gumbel-softmax", max_iter=4, random_state=0), 1),
    ],
    ids=["factors", "runs", "auto", "mixture", "relaxed mixture"],
)
@pytest.mark.filterwarnings("ignore:n_components='auto' ended")
def test_a_fit_of_several_trainings_goes_on(tmp_path, notes, estimator, training):
    whole = estimator().fit(notes)
    first = estimator().set_params(callbacks=[Checkpoints(tmp_path), killed_after(training, 2)])
    with pytest.raises(KilledError):
        first.fit(notes)
    assert max(int(path.name[9:12]) for path in tmp_path.glob("*.json")) == training
    second = estimator().set_params(callbacks=[Checkpoints(tmp_path, resume=True)]).fit(notes)
    assert np.array_equal(whole.components_, second.components_)
    assert np.array_equal(whole.prevalence_, second.prevalence_)
    found = second.transform(notes) if hasattr(second, "transform") else second.predict_proba(notes)
    before = whole.transform(notes) if hasattr(whole, "transform") else whole.predict_proba(notes)
    assert np.array_equal(found, before)


def test_em_has_no_steps_to_go_on_between(tmp_path, notes):
    with pytest.raises(ConfigurationError, match="inference='em' has none"):
        MixtureModel(3, callbacks=[Checkpoints(tmp_path)]).fit(notes)


def test_an_interruption_while_words_are_put_in_order_keeps_the_model(notes, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("topicfactors.estimators.wording.word_order", interrupted)
    for made in (model(3, max_iter=2), MixtureModel(3, max_iter=2)):
        with pytest.raises(KeyboardInterrupt):
            made.fit(notes)
        assert made.word_order_ is None
        assert len(made.top_words(3)) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"every": 0}, "every must be a number above 0"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more"),
        ({"keep": 0}, "keep must be a whole number of 1 or more"),
    ],
)
def test_parameters_are_checked(tmp_path, arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        Checkpoints(tmp_path, **arguments)


def test_a_copy_of_the_folder_is_as_good(tmp_path):
    cut(tmp_path / "a", after=2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert same(train(None)[0], train(tmp_path / "b", resume=True)[0])
