"""Mel frames made distinct again, voice by voice.

A network that learned distances draws spectra smoother than they are: formants sink in. Their cepstral coefficients,
the fourth to the 44th, are raised (after formant enhancement in HMM synthesis, Ling et al. 2006), the more the flatter
the network draws a voice, as its weights tell (after the global variance of Toda and Tokuda 2007). All is local.

Letters: T frames, M mel bands, as many cepstral coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

EMPHASIS, FIRST_RAISED, END_RAISED = 1.3, 4, 45
DETAIL_POWER, MOST_GAIN = 0.5, 2.5
"""How much of the measured flatness is made good, and the most that a coefficient is raised by for it."""


@dataclass(frozen=True)
class MelDetail:
    """How the cepstral coefficients (M,) of a voice lie over time.

    Attributes:
        gain: the teacher's deviations over those that the network draws.
        true_mean, made_mean: the teacher's means and the network's.
    """

    gain: Sequence[float]
    true_mean: Sequence[float]
    made_mean: Sequence[float]


def build_cepstral_basis(bands: int) -> Tensor:
    """Build the orthonormal basis (M, M) whose columns are cepstral coefficients of log mel frames."""
    band, order = torch.arange(bands) + 0.5, torch.arange(bands)
    basis = torch.cos(math.pi / bands * band[:, None] * order) * math.sqrt(2 / bands)
    basis[:, 0] /= math.sqrt(2)
    return basis


class MelEmphasis:
    """The emphasis of one voice: log mel frames times a matrix (M, M), plus an offset (M,), as loud as before.

    Args:
        detail: of the voice; without it all voices are raised alike.
    """

    def __init__(self, bands: int, detail: MelDetail | None = None) -> None:
        basis, gains = build_cepstral_basis(bands), torch.ones(bands)
        raised = torch.zeros(bands, dtype=torch.bool)
        raised[FIRST_RAISED:END_RAISED] = True
        gains[raised] = EMPHASIS
        centre = torch.zeros(bands)
        if detail is not None:
            flatness = torch.tensor(detail.gain).clamp(1.0, MOST_GAIN ** (1 / DETAIL_POWER)) ** DETAIL_POWER
            gains = torch.where(raised, EMPHASIS * flatness, gains)
            true, made = torch.tensor(detail.true_mean), torch.tensor(detail.made_mean)
            centre = torch.where(raised, EMPHASIS, torch.ones(bands)) * true - gains * made
            centre[0] = 0.0
        self.matrix, self.offset = (basis * gains) @ basis.T, basis @ centre

    def apply(self, mel: Tensor) -> Tensor:
        """Raise the detail of log mel frames (T, M)."""
        made = mel @ self.matrix + self.offset
        return made + (mel.logsumexp(dim=1) - made.logsumexp(dim=1))[:, None]


def parse_details(values: Mapping[str, Mapping[str, Sequence[float]]] | None, bands: int) -> dict[str, MelDetail]:
    """Read the details of voices from a weight file's metadata; {} where it has none.

    Raises:
        ValueError, TypeError: a voice lacks something, or has another number of coefficients.
    """
    details = {voice: MelDetail(**fields) for voice, fields in (values or {}).items()}
    for voice, detail in details.items():
        if {len(detail.gain), len(detail.true_mean), len(detail.made_mean)} != {bands}:
            raise ValueError(f"The detail of {voice} has not {bands} coefficients.")
    return details
