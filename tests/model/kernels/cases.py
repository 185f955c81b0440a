"""The kernels against the plain path, on a GPU or through Triton's interpreter.

Run by ``test_kernels.py`` in a process of its own, since the interpreter is chosen at import.
"""

import itertools

import pytest
import torch

from topicfactors.model import kernels
from topicfactors.model.logits import Logits

DEVICE = "cpu" if kernels.interpreted() else "cuda"
# Largest difference from float64, for each unit that a sum of |h W| + |b| has: half a unit in the
# last place of the operands, twice, and float32's own rounding of long sums.
TOLERANCE = {"tf32": 2.0**-10, "bf16": 2.0**-7, "tf32x3": 2.0**-17}
SHAPES = [(1, 1, 1), (3, 1, 5), (1, 37, 1), (5, 130, 3), (70, 300, 17), (130, 257, 50)]


@pytest.fixture(params=kernels.PRODUCTS)
def products(request):
    with kernels.using(request.param):
        yield request.param


def drawn(shape, scale=1.0, seed=0):
    """h, weights and bias of (rows, words, columns); h half bits, half what a relaxation gives."""
    rows, words, columns = shape
    torch.manual_seed(seed)
    h = torch.rand(1, rows, columns)
    h[:, ::2] = (h[:, ::2] > 0.5).float()
    parts = h, scale * torch.randn(words, columns), scale * torch.randn(words)
    return [part.to(DEVICE).requires_grad_() for part in parts]


def reference(parts):
    return [part.detach().double().cpu().requires_grad_() for part in parts]


def close(found, expected, products, size=1.0):
    """Within the tolerance, relative to the size of the logits and of the result."""
    reach = float(expected.detach().abs().max())
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found.detach().double().cpu(),
        expected.detach(),
        rtol=0,
        atol=TOLERANCE[products] * max(float(size), reach, 1e-30),
    )


def largest(parts):
    h, weights, bias = (part.detach().abs() for part in parts)
    return (h @ weights.t() + bias).max()


@pytest.mark.parametrize("reduction", ["logsumexp", "softplus_sum"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_reduction_and_its_derivatives(shape, reduction, products):
    parts = drawn(shape)
    exact = reference(parts)
    found, expected = (getattr(Logits(*each), reduction)() for each in (parts, exact))
    words = shape[1] if reduction == "softplus_sum" else 1
    close(found, expected, products, largest(parts) * words**0.5)
    weights = torch.randn(expected.shape, dtype=torch.float64)
    slopes = torch.autograd.grad((found * weights.float().to(DEVICE)).sum(), parts)
    for slope, right in zip(
        slopes, torch.autograd.grad((expected * weights).sum(), exact), strict=True
    ):
        assert slope.shape == right.shape
        close(slope, right, products, 4 * float(right.abs().max()))


@pytest.mark.parametrize("reduction", ["logsumexp", "softplus_sum"])
def test_only_the_derivatives_asked_for(reduction, products):
    for wanted in itertools.product([False, True], repeat=3):
        if not any(wanted):
            continue
        parts = [part.detach() for part in drawn(SHAPES[3])]
        for part, asked in zip(parts, wanted, strict=True):
            part.requires_grad_(asked)
        whole = drawn(SHAPES[3])
        getattr(Logits(*parts), reduction)().sum().backward()
        getattr(Logits(*whole), reduction)().sum().backward()
        for part, other, asked in zip(parts, whole, wanted, strict=True):
            assert (part.grad is not None) == asked
            if asked:
                torch.testing.assert_close(part.grad, other.grad, rtol=0, atol=0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kept", [None, 2])
def test_flip_terms(shape, kept, products):
    parts = [part.detach() for part in drawn(shape)]
    exact = [part.detach() for part in reference(parts)]
    (found, norm), (expected, level) = (Logits(*each).flip_terms(kept) for each in (parts, exact))
    close(norm, level, products, largest(parts))
    close(found, expected, products, 2 * largest(parts))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softplus_tangents(shape, products):
    parts = [part.detach() for part in drawn(shape)]
    exact = [part.detach() for part in reference(parts)]
    for found, expected in zip(
        Logits(*parts).softplus_tangents(), Logits(*exact).softplus_tangents(), strict=True
    ):
        close(found, expected, products, largest(parts) * shape[1] ** 0.5)


@pytest.mark.parametrize("level", [-300.0, 300.0])
def test_logits_far_from_zero(level, products):
    h, weights, bias = (part.detach() for part in drawn((5, 140, 3)))
    parts = [part.requires_grad_() for part in (h, weights, bias + level)]
    exact = reference(parts)
    for reduction, size in (("logsumexp", 10.0), ("softplus_sum", 1.0)):
        found, expected = (getattr(Logits(*each), reduction)() for each in (parts, exact))
        close(found, expected, products, size)
        slopes = torch.autograd.grad(found.sum(), parts)
        for slope, right in zip(slopes, torch.autograd.grad(expected.sum(), exact), strict=True):
            close(slope, right, products, 4 * float(right.abs().max()))
    assert bool(torch.isfinite(Logits(*parts).flip_terms()[0]).all())


def test_many_words_that_are_hardly_ever_there(products):
    parts = [part.detach() for part in drawn((5, 140, 3))]
    parts[1:] = [torch.zeros_like(parts[1]), torch.full_like(parts[2], -20.0)]
    found = Logits(*parts).softplus_sum().double().cpu()
    right = Logits(*(part.double().cpu() for part in parts)).softplus_sum()
    torch.testing.assert_close(found, right, rtol=1e-5, atol=0)


def test_operands_are_rounded_to_nearest(products):
    from topicfactors.model.kernels.operands import operand

    matrix = torch.randn(300, 50, device=DEVICE)
    found = operand(matrix, products)
    assert found.shape[0] == 300
    assert not bool(found[:, 50:].any())
    assert found.stride(0) * found.element_size() % 16 == 0
    off = (found[:, :50].double() - matrix.double()).abs() / matrix.double().abs()
    assert float(off.max()) <= {"tf32": 2.0**-11, "bf16": 2.0**-8, "tf32x3": 0.0}[products]


def test_weights_tens_of_nats_apart(products):
    parts = [part.detach() for part in drawn((8, 200, 3), scale=30.0)]
    parts[0] = (parts[0] > 0.5).float()
    exact = [part.detach() for part in reference(parts)]
    found, expected = (Logits(*each).flip_terms()[0] for each in (parts, exact))
    close(found, expected, products, 4 * largest(parts))


def test_what_is_not_a_number_stays_so(products):
    for number in (float("nan"), torch.tensor(0x7FFFFFFF, dtype=torch.int32).view(torch.float32)):
        h, weights, bias = (part.detach() for part in drawn((5, 140, 3)))
        weights[7, 1] = number
        assert bool(Logits(h, weights, bias).logsumexp().isnan().all())
        assert bool(Logits(h, weights, bias).softplus_sum().isnan().all())


def test_more_columns_than_one_block_holds():
    parts = drawn((20, 150, 300))
    exact = reference(parts)
    found, expected = Logits(*parts).logsumexp(), Logits(*exact).logsumexp()
    close(found, expected, "tf32", largest(parts))
    close(
        Logits(*parts).flip_terms()[0], Logits(*exact).flip_terms()[0], "tf32", 2 * largest(parts)
    )
    found.sum().backward()
    expected.sum().backward()
    for part, right in zip(parts, exact, strict=True):
        close(part.grad, right.grad, "tf32", 8 * float(right.grad.abs().max()))


def test_the_same_numbers_every_time(products):
    one, other = (drawn((130, 700, 20)) for _ in range(2))
    for parts in (one, other):
        Logits(*parts).logsumexp().square().sum().backward()
    for part, again in zip(one, other, strict=True):
        assert torch.equal(part.grad, again.grad)


def test_rows_and_columns_that_lie_apart(products):
    h, weights, bias = (part.detach() for part in drawn((6, 60, 8)))
    apart = Logits(h[..., ::2], weights.t().contiguous().t()[:, ::2], bias)
    torch.testing.assert_close(
        apart.logsumexp(), Logits(*(part.contiguous() for part in apart)).logsumexp()
    )


def test_the_plain_path_is_taken_where_it_must_be(products):
    parts = [part.detach() for part in drawn((4, 30, 3))]
    assert kernels.fused(*parts) is not None
    assert kernels.fused(*(part.double() for part in parts)) is None
    assert kernels.fused(parts[0][:0], *parts[1:]) is None
    with kernels.using(None):
        assert kernels.fused(*parts) is None
