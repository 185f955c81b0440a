import pytest
import scipy.sparse
import torch

from topicfactors.corpus.counts import Counts
from topicfactors.model import reductions as module
from topicfactors.model.logits import Logits


@pytest.fixture(params=[(1, 4), (3, 1), (3, 4)], ids=str)
def implicit(request):
    samples, documents = request.param
    torch.manual_seed(0)
    return Logits(
        torch.rand(samples, documents, 5, dtype=torch.float64, requires_grad=True),
        torch.randn(37, 5, dtype=torch.float64, requires_grad=True),
        torch.randn(37, dtype=torch.float64, requires_grad=True),
    )


@pytest.fixture
def counts():
    matrix = scipy.sparse.random(4, 37, density=0.3, random_state=0, format="lil")
    matrix[2] = 0
    return Counts.from_scipy(scipy.sparse.csr_matrix(matrix) * 10)


@pytest.fixture(params=[None, 64], ids=["kept", "many tiles"])
def tiles(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(module, "TILE", request.param)
        monkeypatch.setattr(module, "WIDEST", 8)
        monkeypatch.setattr(module, "KEPT", 0)


def dense(implicit):
    return implicit.h @ implicit.weights.t() + implicit.bias


def as_dense(counts):
    return (
        torch.eye(37, dtype=torch.float64)
        .new_zeros(len(counts), 37)
        .index_put((counts.documents, counts.indices.long()), counts.values.double())
    )


def test_logsumexp_and_its_derivatives(implicit, tiles):
    found, expected = implicit.logsumexp(), dense(implicit).logsumexp(-1)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    for part, value in zip(
        torch.autograd.grad((found * weights).sum(), list(implicit)),
        torch.autograd.grad((expected * weights).sum(), list(implicit)),
        strict=True,
    ):
        torch.testing.assert_close(part, value)


def test_logsumexp_passes_gradcheck(tiles):
    torch.manual_seed(0)
    shapes = ((2, 3, 4), (19, 4), (19,))
    parts = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes]
    assert torch.autograd.gradcheck(lambda *given: Logits(*given).logsumexp(), parts)


def test_logsumexp_of_large_logits_in_float32():
    implicit = Logits(
        torch.ones(1, 1, 1), torch.tensor([[500.0], [-500.0], [499.0]]), torch.zeros(3)
    )
    assert float(implicit.logsumexp()) == pytest.approx(500.3133, abs=1e-3)


def test_dot_is_the_dense_product(implicit, counts):
    expected = (dense(implicit) * as_dense(counts)).sum(-1)
    torch.testing.assert_close(implicit.dot(counts), expected)


def test_dot_is_differentiable(implicit, counts):
    found = torch.autograd.grad(implicit.dot(counts).square().sum(), list(implicit))
    expected = (dense(implicit) * as_dense(counts)).sum(-1).square().sum()
    for part, value in zip(found, torch.autograd.grad(expected, list(implicit)), strict=True):
        torch.testing.assert_close(part, value)


def test_at_gives_the_logits_of_the_non_zeros(implicit, counts):
    full = dense(implicit).expand(-1, 4, -1)
    expected = full[:, counts.documents, counts.indices.long()]
    torch.testing.assert_close(implicit.at(counts), expected)


def test_flip_terms_are_those_of_brute_force(implicit, tiles):
    bits = (implicit.h.detach() > 0.5).double()
    hard = Logits(bits, implicit.weights.detach(), implicit.bias.detach())
    before = dense(hard).logsumexp(-1)
    for d in range(5):
        flipped = bits.clone()
        flipped[..., d] = 1 - flipped[..., d]
        after = dense(hard._replace(h=flipped)).logsumexp(-1)
        torch.testing.assert_close(hard.flip_terms()[0][..., d], after - before)
    torch.testing.assert_close(hard.flip_terms(2)[0], hard.flip_terms()[0][..., :2])


@pytest.mark.parametrize("size", [1.0, 40.0, 80.0])
def test_flip_terms_in_float32_with_large_weights(size):
    torch.manual_seed(0)
    weights = torch.randn(50, 3) * size / 2
    bits = torch.tensor([[[0.0, 1.0, 0.0]], [[1.0, 1.0, 1.0]]])
    single = Logits(bits, weights, torch.zeros(50)).flip_terms()[0]
    double = Logits(bits.double(), weights.double(), torch.zeros(50).double()).flip_terms()[0]
    assert bool(torch.isfinite(single).all())
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-3)


def test_the_reductions_keep_their_precision_under_autocast():
    torch.manual_seed(0)
    implicit = Logits(torch.rand(1, 4, 5, requires_grad=True), torch.randn(37, 5), torch.randn(37))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = implicit.logsumexp()
    torch.testing.assert_close(found, implicit.logsumexp(), rtol=0, atol=0)
    assert found.dtype == torch.float32


@pytest.mark.parametrize(("kept", "passes"), [(4 * 50 * 3000 - 1, 2), (4 * 50 * 3000, 1)])
def test_memory_does_not_grow_with_the_vocabulary_times_the_batch(monkeypatch, kept, passes):
    """No tile is ever larger than TILE floats; what is kept is not computed again."""
    sizes = []
    plain = torch.addmm

    def watched(*args, **options):
        result = plain(*args, **options)
        sizes.append(result.numel())
        return result

    monkeypatch.setattr(torch, "addmm", watched)
    monkeypatch.setattr(module, "TILE", 4096)
    monkeypatch.setattr(module, "WIDEST", 512)
    monkeypatch.setattr(module, "KEPT", kept)
    implicit = Logits(
        torch.rand(4, 50, 3, requires_grad=True),
        torch.randn(3000, 3, requires_grad=True),
        torch.randn(3000, requires_grad=True),
    )
    implicit.logsumexp().sum().backward()
    assert max(sizes) <= 4096
    assert sum(sizes) == passes * 4 * 50 * 3000


def test_nothing_is_kept_where_no_derivative_is_asked_for():
    parts = torch.rand(4, 3), torch.randn(8, 3, requires_grad=True), torch.randn(8)
    assert module._kept(*parts)
    assert not module._kept(*(part.detach() for part in parts))
    with torch.no_grad():
        assert not module._kept(*parts)


@pytest.mark.parametrize("name", ["logsumexp", "softplus_sum"])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_the_reductions_in_float32(name, size, monkeypatch):
    torch.manual_seed(1)
    shapes = ((1, 60, 4), (300, 4), (300,))
    parts = [torch.randn(shape) * size**0.5 for shape in shapes]
    exact = Logits(*(part.double().requires_grad_() for part in parts))
    expected = getattr(exact, name)()
    slopes = torch.autograd.grad(expected.sum(), list(exact))
    for kept, tile in ((2**20, 2**10), (0, 2**10)):
        monkeypatch.setattr(module, "KEPT", kept)
        monkeypatch.setattr(module, "TILE", tile)
        single = Logits(*(part.clone().requires_grad_() for part in parts))
        found = getattr(single, name)()
        torch.testing.assert_close(found.double(), expected, rtol=2e-6, atol=1e-5)
        for part, value in zip(torch.autograd.grad(found.sum(), list(single)), slopes, strict=True):
            torch.testing.assert_close(part.double(), value, rtol=1e-4, atol=1e-4 * size)


def test_a_reduction_can_be_differentiated_twice_from_one_graph(implicit):
    found = implicit.logsumexp().sum()
    first = torch.autograd.grad(found, list(implicit), retain_graph=True)
    again = torch.autograd.grad(found, list(implicit))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_derivative_of_a_derivative_is_refused(implicit):
    found = implicit.logsumexp().square().sum()
    (slope,) = torch.autograd.grad(found, implicit.h, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_the_logits_of_the_non_zeros_are_differentiable(implicit, counts):
    found = torch.autograd.grad(implicit.at(counts).square().sum(), list(implicit))
    full = dense(implicit).expand(-1, 4, -1)
    expected = full[:, counts.documents, counts.indices.long()].square().sum()
    for part, value in zip(found, torch.autograd.grad(expected, list(implicit)), strict=True):
        torch.testing.assert_close(part, value)
