"""Every kernel is compiled for two generations of GPUs, which needs none of them.

The interpreter runs what a compiler would refuse. Run by ``test_kernels.py``.
"""

import pytest
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from topicfactors.model.kernels.flips import flips, tangents
from topicfactors.model.kernels.norms import norms
from topicfactors.model.kernels.operands import copy_rounded
from topicfactors.model.kernels.slopes import slopes

SIZES = {"R", "V", "M", "N", "span", "shape"}
CONSTANTS = {"H": 52, "F": 104, "BH": 64, "BO": 64, "SOFTPLUS": False, "WORDS": False}
OPERANDS = {"h", "weights", "mine", "theirs", "factor"}
KERNELS = {
    "log-sum-exp": (norms, {}),
    "sum of softplus": (norms, {"SOFTPLUS": True}),
    "slopes": (slopes, {}),
    "slopes of words": (slopes, {"WORDS": True}),
    "slopes of softplus": (slopes, {"SOFTPLUS": True}),
    "flips": (flips, {}),
    "tangents": (tangents, {}),
}


@pytest.mark.parametrize("generation", [80, 90])
@pytest.mark.parametrize("products", ["tf32", "bf16", "tf32x3"])
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_compiles(name, products, generation):
    tuned, chosen = KERNELS[name]
    config = tuned.configs[0]
    constants = CONSTANTS | chosen | config.kwargs
    constants |= {"ROUND": products == "tf32"}
    constants["PRECISION"] = "tf32x3" if products == "tf32x3" else "tf32"
    names = tuned.fn.arg_names
    constants = {key: value for key, value in constants.items() if key in names}
    operand = "*bf16" if products == "bf16" else "*fp32"
    types = {key: "i32" if key in SIZES else "*fp32" for key in names}
    types |= dict.fromkeys(OPERANDS & set(names), operand) | dict.fromkeys(constants, "constexpr")
    source = ASTSource(
        tuned.fn, types, {(names.index(key),): value for key, value in constants.items()}
    )
    options = {"num_warps": config.num_warps, "num_stages": config.num_stages}
    built = triton.compile(
        source,
        target=GPUTarget("cuda", generation, 32),
        options=options | {"enable_fp_fusion": True},
    )
    assert f"sm_{generation}" in built.asm["ptx"]
    assert "mma" in built.asm["ptx"]  # the matrix units are used


def test_the_copy_of_operands_compiles():
    names = copy_rounded.arg_names
    types = {"matrix": "*fp32", "result": "*fp32", "M": "i32", "down": "i32", "across": "i32"}
    constants = {"H": 50, "P": 52, "BM": 64, "BP": 64}
    types |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(
        copy_rounded, types, {(names.index(key),): value for key, value in constants.items()}
    )
    built = triton.compile(
        source, target=GPUTarget("cuda", 90, 32), options={"enable_fp_fusion": True}
    )
    assert "sm_90" in built.asm["ptx"]
