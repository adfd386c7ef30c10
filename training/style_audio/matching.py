"""Training of the matching network: the same words in another voice, made of what that voice says elsewhere.

Both voices bring a stretch of speech to choose from. For each frame of the content the mean of the style's frames with
near keys, less that of the content's own, is added to it; the answer is the style's voice reading the same sentence,
aligned by dynamic time warping. Mel bands without harmonics stand for the envelopes that are moved in use. So that few
voices make many, the vocal tract of either is made longer or shorter at random, as in `training.style_audio.network`.

Letters: B batch, T frames, P frames to choose from, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.style.audio_network import MEL_MEAN, MEL_STD
from models.style.matching import MatchingConfig, MatchingNetwork
from training.loop import PlannedTraining
from training.style_audio.corpus import CorpusTrack, align_by_warping
from training.style_audio.network import NetworkPlan, StylePairSampler, compute_moments, find_audible_frames

FloatArray = NDArray[np.float32]
Draw = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class MatchingPlan:
    """The plan of a training: how long and on what."""

    steps: int = 4000
    batch: int = 8
    frames: int = 96
    choice_frames: int = 420
    altered_share: float = 0.8
    same_voice_share: float = 0.1
    learning_rate: float = 2e-3
    last_learning_rate: float = 4e-5
    warm_up: int = 50
    average: float = 0.99
    seed: int = 1


class SentencePairSampler(StylePairSampler):
    """A source of stretches of a sentence in one voice, speech of both voices, and the answer."""

    def __init__(self, tracks: list[CorpusTrack], plan: MatchingPlan) -> None:
        super().__init__(tracks, NetworkPlan(frames=plan.frames, altered_share=plan.altered_share, seed=plan.seed))
        self.matching_plan = plan
        self.track_of = {track.name: track for track in self.voices}
        long = {text: [c for c in said.values() if len(c.mel) > plan.frames] for text, said in self.by_text.items()}
        self.texts = [text for text in self.texts if len(long[text]) == len(self.by_text[text])]

    def _draw_speech(self, name: str, beginning: FloatArray) -> FloatArray:
        """Draw mel frames (P, M) of a voice, these first."""
        pieces, count = [beginning], self.matching_plan.choice_frames
        while sum(map(len, pieces)) < count:
            pieces.append(self._draw_clip(self.track_of[name]).astype(np.float32))
        return np.concatenate(pieces)[:count]

    def draw_sentence(self) -> tuple[FloatArray, int, FloatArray, FloatArray]:
        """Draw content's speech (P, M), where in it the stretch begins, style's speech (P, M), answer (T, M)."""
        plan = self.matching_plan
        text = self.texts[int(self.rng.integers(len(self.texts)))]
        names = sorted(self.by_text[text])
        one, two = (names[int(i)] for i in self.rng.choice(len(names), 2, replace=False))
        if self.rng.random() < plan.same_voice_share:
            two = one
        content, target = (self.by_text[text][name].mel.astype(np.float32) for name in (one, two))
        if (text, one, two) not in self.warps:
            self.warps[text, one, two] = align_by_warping(content, target)
        start = int(self.rng.integers(0, len(content) - plan.frames + 1))
        first = max(0, min(start, len(content) - plan.choice_frames))
        answer = target[self.warps[text, one, two][start : start + plan.frames]]
        (own,) = self._alter(self._draw_speech(one, content[first : first + plan.choice_frames]))
        theirs, answer = self._alter(self._draw_speech(two, np.zeros((0, content.shape[1]), np.float32)), answer)
        return own, start - first, theirs, answer

    def draw_speech(self) -> Draw:
        """Draw contents' speech (B, P, M), beginnings (B,), styles' speech (B, P, M), answers (B, T, M)."""
        own, starts, theirs, answers = zip(
            *(self.draw_sentence() for _ in range(self.matching_plan.batch)), strict=True
        )
        a, c, d = (torch.from_numpy(np.stack(x)) for x in (own, theirs, answers))
        return a, torch.tensor(starts), c, d


class MatchingTrainer(PlannedTraining[MatchingNetwork]):
    """Training of the matching network on tracks; resumes from `matching.pt` in its folder."""

    def __init__(
        self, tracks: list[CorpusTrack], plan: MatchingPlan, folder: Path, config: MatchingConfig | None = None
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, config = plan, config or MatchingConfig()
        model = MatchingNetwork(config)
        self.sentences = SentencePairSampler(tracks, plan)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, betas=(0.9, 0.99))
        super().__init__(model, config, optimizer, folder / "matching.pt")
        self.sentences.rng = np.random.default_rng(self.seed_draws(plan.seed))

    def compute_losses(self, draw: Draw) -> dict[str, Tensor]:
        """Return the distance from the answer, and for comparison that of the bands' global statistics (AdaIN)."""
        own, starts, theirs, answer = draw
        rows = starts[:, None] + torch.arange(answer.shape[1])[None]
        every = torch.arange(len(own))[:, None]
        heard_own, heard, weight = (
            find_audible_frames(own),
            find_audible_frames(theirs),
            find_audible_frames(answer) + 0.1,
        )  # silence is little heard
        normal_own, normal_theirs = ((x - MEL_MEAN) / MEL_STD for x in (own, theirs))
        keys_own = self.model(normal_own, *compute_moments(normal_own, heard_own))
        keys = self.model(normal_theirs, *compute_moments(normal_theirs, heard))
        asked, smoother = keys_own[every, rows], self.model.smoother
        smooth_own, smooth_theirs, smooth_answer = (x @ smoother for x in (own, theirs, answer))
        content = smooth_own[every, rows]
        move = self.model.attend(asked, keys, smooth_theirs, heard)
        move = move - self.model.attend(asked, keys_own, smooth_own, heard_own)

        def distance(made: Tensor) -> Tensor:
            return ((made - smooth_answer).abs() * weight).mean() / weight.mean()

        with torch.no_grad():
            (mean_own, spread_own), (mean, spread) = (
                compute_moments(smooth_own, heard_own),
                compute_moments(smooth_theirs, heard),
            )
            plain = distance((content - mean_own) / spread_own * spread + mean)
        return {"distance": distance(content + move), "_global": plain}

    def train_step(self) -> dict[str, float]:
        """Do one step; return the losses."""
        losses = self.compute_losses(self.sentences.draw_speech())
        self.descend(losses["distance"], 1.0)
        return {key: float(value.detach()) for key, value in losses.items()}
