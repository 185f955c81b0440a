"""The reductions of the logits on a GPU: fused kernels against the plain path, and the floor.

    python -m benchmarks.kernels [--rows 512] [--products tf32 bf16]

Milliseconds are medians of CUDA events; the difference ("off") is from float64, in units of the
largest logit. The floor is the bare work with arrays of logits written out: a product and its
exponentials, or, with derivatives, four products and the exponentials twice.
"""

from __future__ import annotations

import argparse
import contextlib
import sys

import torch

from benchmarks.corpora import machine
from topicfactors.model import kernels
from topicfactors.model.logits import Logits

SHAPES = [(2_000, 50), (10_000, 50), (50_000, 200), (200_000, 200)]
REPEATS = 20
REDUCTIONS = ("logsumexp", "softplus_sum", "flip_terms", "softplus_tangents")


def milliseconds(task):
    """Median of some runs, after two that compile, choose block sizes and warm up."""
    for _ in range(2):
        task()
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(REPEATS)]
    for begin, end in marks:
        begin.record()
        task()
        end.record()
    torch.cuda.synchronize()
    times = sorted(begin.elapsed_time(end) for begin, end in marks)
    return times[len(times) // 2]


def task_of(reduction, parts, backward):
    def task():
        found = getattr(Logits(*parts), reduction)()
        if backward:
            return torch.autograd.grad(found.sum(), parts)
        return found if isinstance(found, torch.Tensor) else found[0]

    return task


def floor(rows, words, columns, backward):
    """The bare products and exponentials, in tf32, of what fits at once."""
    h = torch.randn(rows, columns, device="cuda")
    weights = torch.randn(words, columns, device="cuda")

    def task():
        tile = torch.exp(h @ weights.t())
        if backward:
            torch.exp(h @ weights.t())
            return tile @ weights, tile.t() @ h
        return tile

    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        return milliseconds(task)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False


def compared(reduction, rows, shape, products, backward):
    """A row of the table."""
    words, columns = shape
    torch.manual_seed(0)
    parts = [
        (torch.rand(1, rows, columns, device="cuda") > 0.9).float(),
        torch.randn(words, columns, device="cuda"),
        torch.randn(words, device="cuda"),
    ]
    parts = [part.requires_grad_(backward) for part in parts]
    exact = [part.detach()[:, :16] if part.ndim == 3 else part.detach() for part in parts]
    with kernels.using(None):
        plain = milliseconds(task_of(reduction, parts, backward))
        right = task_of(reduction, [part.double() for part in exact], False)()
    with kernels.using(products):
        if kernels.fused(parts[0], *parts[1:]) is None:
            sys.exit(
                "the kernels cannot be used here: is Triton installed, the GPU of 2020 or later?"
            )
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        fused = milliseconds(task_of(reduction, parts, backward))
        peak = (torch.cuda.max_memory_allocated() - before) / 2**20
        found = task_of(reduction, exact, False)()
    largest = (exact[0].abs() @ parts[1].detach().abs().t() + parts[2].detach().abs()).max()
    off = float((found - right).abs().max() / largest)
    least = floor(rows, words, columns, backward)
    name = reduction + (", derivatives" if backward else "")
    return (
        f"| {name} | {words:,} | {columns} | {products} | {plain:.3f} | {fused:.3f} "
        f"| {plain / fused:.1f} | {least:.3f} | {peak:.0f} | {off:.1e} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--products", nargs="+", default=["tf32", "bf16"], choices=kernels.PRODUCTS)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("No GPU was there: nothing was measured.")
    print(f"{machine()}; {options.rows} rows\n")
    print("| reduction | V | H | products | plain ms | fused ms | ratio | floor ms | MiB | off |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for reduction in REDUCTIONS:
        for backward in [False, True] if reduction in REDUCTIONS[:2] else [False]:
            for shape in SHAPES:
                for products in options.products:
                    with torch.no_grad() if not backward else contextlib.nullcontext():
                        row = compared(reduction, options.rows, shape, products, backward)
                    print(row, flush=True)


if __name__ == "__main__":
    main()
