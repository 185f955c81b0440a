"""Γ: what the covariates of a document add to the logits of a prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Effects(nn.Module):
    r""":math:`\Gamma c`, for any prior with a logit per factor or per class.

    Covariates are centred, so that the prior's own logits are those of their mean.

    Parameters
    ----------
    outputs
        Logits of the prior: D factors, or K classes.
    covariates
        How many of the covariates it reads: the first C of a batch.

    Examples
    --------
    >>> Effects(3, 2)(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, outputs: int, covariates: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, covariates))

    def forward(self, covariates: Tensor) -> Tensor:
        """Γ c of covariates ``(B, C or more)``, ``(B, outputs)`` log-odds.

        In the precision of the weights: autocast is for layers.
        """
        with torch.autocast(self.weight.device.type, enabled=False):
            read = covariates[:, : self.weight.shape[1]].to(self.weight.dtype)
            return read @ self.weight.t()

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Output ``order[d]`` becomes output d, others go; where ``flipped``, off becomes on."""
        turned = torch.where(flipped[:, None], -self.weight, self.weight)
        self.weight.data = turned[order]
