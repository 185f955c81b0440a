"""Which score is meant: every bound by name, the tightest affordable one where none is named."""

from __future__ import annotations

from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError, unknown_name
from topicfactors.estimators.refining import RefiningMixin
from topicfactors.estimators.smoothed import SMOOTHED, check_bound
from topicfactors.values import is_whole

BOUNDS = ("ais", "auto", "completion", "elbo", "exact", "iwae", "own", SMOOTHED, "truncated")
REFINED = ("elbo", "iwae")
DRAWS = 32  # a document, where the user leaves it to the package
WEIGHTS = 100  # draws of the IWAE, where the bound too is left to the package
CHAINS = 16  # of annealed importance sampling, a document
TEMPERATURES = 100
CHEAP = 12  # factors up to which a table of 2^D states costs less than a search
CHEAP_EACH = 6  # the same where every document has a table of its own


class Measure(NamedTuple):
    """A score, and how much is spent on it."""

    bound: str
    samples: int  # draws, chains or states of a document; 0 for all states
    temperatures: int = 0  # of annealed importance sampling
    steps: int = 0  # of coordinate ascent, after the encoder's guess


def tightest(joint: Any, posterior: Any) -> str:
    """The tightest bound that is affordable, by what the model is and not by the documents.

    ``"exact"`` where the table of 2^D states is cheap: up to 12 factors (6 under ``polya`` and with
    covariates that move the words, where every document has a table of its own), or where the
    inference makes it anyway. Above, ``"truncated"`` where a search fitted the model, so that few
    states hold its posteriors, and ``"iwae"`` where an encoder did: of such models 64 states hold
    less than 32 draws on long documents, and a little more on others (benchmarks/defaults.md).
    """
    shared = getattr(joint.likelihood, "shared", True) and joint.content is None
    cheap = CHEAP if shared else CHEAP_EACH
    if posterior.exact or joint.sizes.factors <= min(cheap, enumerable(joint)):
        return "exact"
    return "truncated" if posterior.searched else "iwae"


def enumerable(joint: Any) -> int:
    """Most factors whose 2^D states are summed over."""
    return int(getattr(joint.likelihood, "enumerable", joint.sizes.factors))


def _checked(name: str, value: int | None) -> None:
    if value is not None and (not is_whole(value) or value < 1):
        raise ConfigurationError(
            f"{name} must be None or a whole number of 1 or more, got {value!r}"
        )


class BoundingMixin(RefiningMixin):
    """From what a caller asks for to a measure."""

    def _own(self) -> str:
        """The bound of the inference itself, with which it stops early and scores."""
        if self._enumerates():
            return "exact"
        return "truncated" if self.objective_.posterior.searched else "elbo"

    def _tightest(self) -> str:
        if self.objective_.layers is not None:
            return "iwae"  # log p(x, z) is not known
        return tightest(self._joint(), self.objective_.posterior)

    def _ladder(self) -> list[str]:
        """The bounds that ``fit`` notes of the documents held out, the inference's own first."""
        own = self._own()
        return [own, *(bound for bound in ("elbo", "iwae") if bound != own and own != "exact")]

    def _rungs(self) -> list[str]:
        """The bounds that the command line tells where none is asked for, the tightest first."""
        return ["auto", *(bound for bound in self._ladder() if bound != self._tightest())]

    def _resolved(
        self,
        bound: str,
        samples: int | None,
        temperatures: int | None = None,
        refine: int | str = "auto",
    ) -> Measure:
        """The measure meant, or the error that says why it cannot be."""
        measure = self._unrefined(bound, samples, temperatures)
        if isinstance(refine, str) and refine == "auto":
            return measure
        if measure.bound not in REFINED:
            raise ConfigurationError(
                f"refine serves bound='elbo' and bound='iwae', got bound={measure.bound!r}; leave "
                "it out"
            )
        return measure._replace(steps=self._steps(refine))

    def _unrefined(self, bound: str, samples: int | None, temperatures: int | None) -> Measure:
        if bound not in BOUNDS:
            raise unknown_name("bound", bound, BOUNDS)
        check_bound(self.objective_, bound)
        _checked("samples", samples)
        _checked("temperatures", temperatures)
        if temperatures is not None and bound != "ais":
            raise ConfigurationError(
                f"temperatures are of bound='ais', got bound={bound!r}; leave them out"
            )
        if bound == "exact":
            self._check_enumerable("bound='exact'", "bound='ais', or 'truncated'")
        left = bound == "auto"
        if left or bound == "own":
            bound = self._tightest() if left else self._own()
        elif bound in ("elbo", "iwae", "truncated") and self._enumerates():
            bound = "exact"
        if bound == "exact":
            return Measure("exact", 0)
        count = self._usual(bound, left) if samples is None else int(samples)
        if bound == "ais":
            return Measure(bound, count, int(temperatures or TEMPERATURES))
        return Measure(bound, count)

    def _usual(self, bound: str, left: bool = False) -> int:
        """Draws, chains or states of a document, where the caller names no number."""
        searched = bound == "completion" and self.objective_.posterior.searched
        if bound == "truncated" or searched:
            return self._search().final_states
        if bound == "ais":
            return CHAINS
        return WEIGHTS if bound == "iwae" and left else DRAWS
