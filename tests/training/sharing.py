"""One of the processes of a training that is shared: ``python -m tests.training.sharing FILE``."""

import json
import sys

import torch

from tests.training.objectives import counts, objective
from tests.training.test_stored import ALL, SIZES
from topicfactors.training.distributed import joined
from topicfactors.training.schedules import Schedule
from topicfactors.training.stored import StoredDocuments
from topicfactors.training.trainer import Trainer


def read(number):
    start = sum(SIZES[:number])
    return ALL._replace(responses=None).select(torch.arange(start, start + SIZES[number]))


def main(path, inference):
    torch.set_num_threads(1)
    made, device = objective(inference=inference), torch.device("cpu")
    with joined(device) as world:
        torch.manual_seed(world.rank)
        source = StoredDocuments(read, SIZES, device, world)
        held = counts(60, seed=1).select(torch.arange(world.rank, 60, world.size))
        trainer = Trainer(made, Schedule(12, 16, 2e-2, 0.0), 0, world=world)
        history = trainer.fit(source, held)
        weights = sum(float(w.double().sum()) for w in made.parameters())
        both = world.total(torch.tensor([weights, weights**2], dtype=torch.float64))
        if world.first:
            spread = both[1] / world.size - (both[0] / world.size) ** 2
            last = history.epochs[-1]
            found = {"held_out": last.held_out, "bound": last.bound, "spread": float(spread)}
            with open(path, "w") as file:
                json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
