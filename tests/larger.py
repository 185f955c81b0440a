"""A store that is fitted in a process of its own: ``python -m tests.larger STORE FACTORS``.

It tells the most data that the process ever had (VmData, in KiB) and the bound.
"""

import json
import re
import sys
import threading
from pathlib import Path

import torch

from topicfactors import BinaryFactorModel
from topicfactors.corpus.store import CountsStore


def kibibytes(name):
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1])


def watched(most, over):
    while not over.wait(0.02):
        most[0] = max(most[0], kibibytes("VmData"))


def main(path):
    torch.set_num_threads(1)
    most, over = [0], threading.Event()
    thread = threading.Thread(target=watched, args=(most, over))
    thread.start()
    try:
        model = BinaryFactorModel(
            5, inference="gumbel-softmax", likelihood="multinomial", max_iter=1, random_state=0
        )
        model.fit(CountsStore.open(path))
    finally:
        over.set()
        thread.join()
    found = {"data": most[0], "bound": model.history_[-1].bound}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
