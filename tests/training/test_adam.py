"""Adam beside torch's own, and what it does not load."""

import subprocess
import sys

import torch

from topicfactors.training.adam import Adam


def trained(make):
    torch.manual_seed(0)
    parts = [torch.nn.Parameter(torch.randn(7, 3)), torch.nn.Parameter(torch.randn(5))]
    optimizer = make([{"params": parts[:1]}, {"params": parts[1:]}])
    for step in range(20):
        optimizer.zero_grad()
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (step + 1)
        sum((part.square() * part.cos()).sum() for part in parts).backward()
        optimizer.step()
    return parts, optimizer


def test_it_moves_as_that_of_torch():
    found, optimizer = trained(lambda groups: Adam(groups, 0.1))
    expected, plain = trained(lambda groups: torch.optim.Adam(groups, lr=0.1, betas=(0.9, 0.99)))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    plain.load_state_dict(optimizer.state_dict())
    optimizer.zero_grad()
    assert all(part.grad is None for part in found)


def test_a_fit_does_not_load_the_compiler():
    script = """
import sys
import numpy as np
from topicfactors import BinaryFactorModel
counts = np.random.default_rng(0).poisson(1.0, (40, 12))
BinaryFactorModel(2, max_iter=1, random_state=0).fit(counts)
BinaryFactorModel(2, max_iter=1, random_state=0, inference="gumbel-softmax").fit(counts)
print("torch._dynamo" in sys.modules)
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"
