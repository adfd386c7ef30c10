"""Forced alignment of symbols and mel frames: which frames of a clip belong to which symbol.

A voice's sounds are modelled by Gaussians over cepstra, two states a sound, trained from a flat start by Viterbi
re-estimation (the classical recipe of Young et al., "The HTK Book", chapter 8, without mixtures). Pauses may be
skipped. The alignment teaches Tacotron 2's attention where to look (Zhu et al. 2019, "Pre-Alignment Guided Attention
for Improving Training Efficiency and Model Stability in End-to-End Speech Synthesis"), which saves much training.

Letters: T frames, L symbols, J states of one clip, K distinct states, D feature values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d

from models.speech.symbols import BETWEEN_WORDS, BOS, EOS, PUNCTUATION, STRESSES, SYMBOLS, WORD_BREAK
from training.speech.corpus import SpeechClip

STATES = 2
CEPSTRA = 13
MAX_JUMP = 3
PAUSES = {BOS, EOS, *BETWEEN_WORDS}


def find_sound_class(symbol: str) -> str:
    """Return the sound class that a symbol shares: vowels without their stress, all pauses one silence."""
    return "" if symbol in PAUSES else symbol.lstrip("".join(STRESSES))


SOUNDS = tuple(dict.fromkeys(find_sound_class(s) for s in SYMBOLS))
SOUND_IDS = {sound: index for index, sound in enumerate(SOUNDS)}


def compute_features(mel: np.ndarray) -> np.ndarray:
    """Turn log mel (T, M) into cepstra and their slopes, each with the clip's mean removed, float32 (T, D)."""
    cepstra = dct(mel.astype(np.float32), axis=1, norm="ortho")[:, :CEPSTRA]
    slopes = gaussian_filter1d(cepstra, 1.5, axis=0, order=1) * 2.0
    both = np.concatenate([cepstra, slopes], axis=1)
    both[:, 1:] -= both[:, 1:].mean(axis=0)
    return both


@dataclass
class Chain:
    """The states of one clip in order: which state model, which symbol, and how many states may be skipped to it."""

    states: np.ndarray  # int (J,) in [0, K)
    symbols: np.ndarray  # int (J,) place in the clip's symbols
    skip: np.ndarray  # int (J,) how far back a path may jump over optional pauses, 1 where it may not


def build_chain(symbols: list[int]) -> Chain:
    """Chain a clip's states: STATES for each sound, for each pause one that a path may leave out but at the ends."""
    states, places, optional = [], [], []
    for place, symbol_id in enumerate(symbols):
        symbol = SYMBOLS[symbol_id]
        sound = SOUND_IDS[find_sound_class(symbol)]
        for state in range(1 if symbol in PAUSES else STATES):
            states.append(sound * STATES + state)
            places.append(place)
            optional.append(symbol in BETWEEN_WORDS)
    skip = np.ones(len(states), dtype=int)
    for index in range(1, len(states)):
        while skip[index] < MAX_JUMP and index - skip[index] > 0 and optional[index - skip[index]]:
            skip[index] += 1
    return Chain(np.array(states), np.array(places), skip)


def run_viterbi(scores: list[np.ndarray], chains: list[Chain]) -> list[np.ndarray]:
    """Find the best path of each clip, for each frame an index into its chain, int (T,); clips go side by side.

    Args:
        scores: a clip's log likelihoods (T, J) of each frame under each state of its chain.
    """
    clips, longest, widest = len(scores), max(map(len, scores)), max(len(c.states) for c in chains)
    padded = np.full((longest, clips, widest), -1e9, dtype=np.float32)
    allowed = np.zeros((MAX_JUMP + 1, clips, widest), dtype=bool)
    for index, (score, chain) in enumerate(zip(scores, chains, strict=True)):
        padded[: len(score), index, : score.shape[1]] = score
        for jump in range(1, MAX_JUMP + 1):
            allowed[jump, index, : len(chain.skip)] = chain.skip >= jump
    penalty = np.where(allowed, 0.0, -1e9).astype(np.float32)
    best = np.full((clips, widest), -1e9, dtype=np.float32)
    best[:, 0] = padded[0, :, 0]
    came_from = np.zeros((longest, clips, widest), dtype=np.int8)
    for t in range(1, longest):
        arrived, origin = best.copy(), np.zeros((clips, widest), dtype=np.int8)
        for jump in range(1, MAX_JUMP + 1):
            candidate = best[:, :-jump] + penalty[jump, :, jump:]
            better = candidate > arrived[:, jump:]
            arrived[:, jump:][better] = candidate[better]
            origin[:, jump:][better] = jump
        best, came_from[t] = arrived + padded[t], origin
    return [_trace_back(came_from[: len(score), i], score.shape[1]) for i, score in enumerate(scores)]


def _trace_back(came_from: np.ndarray, size: int) -> np.ndarray:
    """Walk back from the last state at the last frame; came_from int (T, J)."""
    path = np.zeros(len(came_from), dtype=int)
    path[-1] = size - 1
    for t in range(len(came_from) - 1, 0, -1):
        path[t - 1] = path[t] - came_from[t, path[t]]
    return path


class VoiceAligner:
    """The forced alignment of the clips of one voice."""

    def __init__(self, clips: list[SpeechClip]) -> None:
        self.clips = clips
        self.features = [compute_features(clip.mel) for clip in clips]
        self.chains = [build_chain(clip.symbols) for clip in clips]
        self.paths = [self._spread_evenly(f, c) for f, c in zip(self.features, self.chains, strict=True)]

    @staticmethod
    def _spread_evenly(feature: np.ndarray, chain: Chain) -> np.ndarray:
        """Share out frames evenly over the sounds' states."""
        sounds = np.flatnonzero(chain.states >= STATES) if (chain.states >= STATES).any() else np.arange(1)
        return sounds[np.minimum(np.arange(len(feature)) * len(sounds) // len(feature), len(sounds) - 1)]

    def estimate(self) -> tuple[np.ndarray, np.ndarray]:
        """Estimate means and variances (K, D) of the states under the present paths."""
        count = len(SOUNDS) * STATES
        width = self.features[0].shape[1]
        totals, squares, counts = np.zeros((count, width)), np.zeros((count, width)), np.zeros(count)
        for feature, chain, path in zip(self.features, self.chains, self.paths, strict=True):
            states = chain.states[path]
            np.add.at(totals, states, feature)
            np.add.at(squares, states, feature**2)
            np.add.at(counts, states, 1)
        everything = np.concatenate(self.features)
        if counts[0] < 50:  # no pause seen yet: the quietest frames are its first guess
            quiet = everything[everything[:, 0] <= np.quantile(everything[:, 0], 0.05)]
            totals[0], squares[0], counts[0] = quiet.sum(axis=0), (quiet**2).sum(axis=0), len(quiet)
        prior = 10.0
        mean = (totals + prior * everything.mean(axis=0)) / (counts[:, None] + prior)
        variance = (squares + prior * (everything**2).mean(axis=0)) / (counts[:, None] + prior) - mean**2
        return mean, np.maximum(variance, 0.05 * everything.var(axis=0))

    def align(self, rounds: int = 8, together: int = 48) -> list[np.ndarray]:
        """Return for each clip the place of the symbol that each frame belongs to, int (T,).

        A clip with fewer frames than states keeps its flat alignment.
        """
        order = np.argsort([len(f) for f in self.features])
        for _ in range(rounds):
            mean, variance = self.estimate()
            weights = np.concatenate([-0.5 / variance, mean / variance], axis=1).T  # (2 D, K)
            constant = -0.5 * (np.log(variance) + mean**2 / variance).sum(axis=1)
            for start in range(0, len(order), together):
                group = [
                    i for i in order[start : start + together] if len(self.features[i]) >= len(self.chains[i].states)
                ]
                scores = []
                for index in group:
                    feature = self.features[index]
                    likelihood = np.concatenate([feature**2, feature], axis=1) @ weights + constant  # (T, K)
                    scores.append(likelihood[:, self.chains[index].states].astype(np.float32))
                if group:
                    for index, path in zip(group, run_viterbi(scores, [self.chains[i] for i in group]), strict=True):
                        self.paths[index] = path
        places = [chain.symbols[path] for chain, path in zip(self.chains, self.paths, strict=True)]
        return [assign_pauses_to_punctuation(p, clip.symbols) for p, clip in zip(places, self.clips, strict=True)]


def assign_pauses_to_punctuation(places: np.ndarray, symbols: list[int]) -> np.ndarray:
    """Give the frames of a word break after punctuation to the punctuation: both sound like one pause."""
    moved = places.copy()
    for place in np.unique(places):
        follows_punctuation = place > 0 and SYMBOLS[symbols[place - 1]] in PUNCTUATION
        if SYMBOLS[symbols[place]] in (WORD_BREAK, EOS) and follows_punctuation:
            moved[places == place] = place - 1
    return moved


def align_clips(clips: list[SpeechClip]) -> None:
    """Fill in every clip's `path`, voice by voice; a version with another pitch has its original's path."""
    for voice in dict.fromkeys(c.voice for c in clips):
        originals = [c for c in clips if c.voice == voice and not c.shifted]
        paths = {c.name: path for c, path in zip(originals, VoiceAligner(originals).align(), strict=True)}
        for clip in clips:
            if clip.voice == voice:
                clip.path = paths[clip.name].astype(np.int16)
