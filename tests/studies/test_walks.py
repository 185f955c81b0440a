"""What every evaluation of the decoder is counted as."""

import pytest
import torch

from tests.problems import FACTORS, make_problem
from topicfactors.studies.walks import CountedTarget, Meter

COPIES = 3
ASKED = {
    "log_likelihood": lambda target, bits: target.log_likelihood(bits),
    "log_joint": lambda target, bits: target.log_joint(bits),
    "flips": lambda target, bits: target.flips(bits),
    "table": lambda target, bits: target.table(),
    "search": lambda target, bits: target.landscape().best_flips(bits[0], 2)[0],
    "prior": lambda target, bits: target.log_prior(bits),
}
STATES = 4
EXPECTED = {
    "multinomial": (STATES, STATES, 3 * STATES, 2**FACTORS, 3, 0),
    "polya": (STATES, STATES, 4 * STATES, 2**FACTORS, 3, 0),
    "bernoulli": (STATES, STATES, (1 + FACTORS) * STATES, 2**FACTORS, 3 + 2, 0),
    "mlp": (STATES, STATES, (1 + FACTORS) * STATES, 2**FACTORS, 1 + FACTORS, 0),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_walk_is_counted_for_every_document(kind):
    problem = make_problem(decoder="mlp") if kind == "mlp" else make_problem(likelihood=kind)
    plain = problem.joint.condition(problem.batch(COPIES))
    meter = Meter()
    target = CountedTarget(plain, meter)
    bits = torch.zeros(STATES, COPIES, FACTORS, dtype=torch.float64)
    for (name, ask), walks in zip(ASKED.items(), EXPECTED[kind], strict=True):
        assert torch.equal(ask(target, bits), ask(plain, bits))
        assert meter.reset() == walks * COPIES, name
