"""Other beat detectors over sound files; runs in a Python of its own, which need not have this project.

    PYTHON benchmarks/beat_peers.py FILE.wav FILE.wav ...

The last line is JSON: for each file, {"madmom": [beats, downbeats], "beatnet": [beats, downbeats]}, in seconds, with
those that can be imported. madmom: RNNBeatProcessor with DBNBeatTrackingProcessor, and RNNDownBeatProcessor with
DBNDownBeatTrackingProcessor for bars of three or four. BeatNet: model 1, offline, its own DBN.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from collections.abc import Callable
from typing import Any

Heard = tuple[list[float], list[float]]


def build_madmom() -> Callable[[str], Heard]:
    """Build madmom's detectors: the beats by the beat tracker, the downbeats by the downbeat tracker."""
    from madmom.features import beats, downbeats

    listen, decode = beats.RNNBeatProcessor(), beats.DBNBeatTrackingProcessor(fps=100)
    listen_bars = downbeats.RNNDownBeatProcessor()
    decode_bars = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)

    def hear(path: str) -> Heard:
        bars = decode_bars(listen_bars(path))
        return [float(each) for each in decode(listen(path))], [float(t) for t, place in bars if round(place) == 1]

    return hear


def build_beatnet() -> Callable[[str], Heard]:
    """Build BeatNet; its package wants pyaudio and matplotlib even where neither is used."""
    for name in ("pyaudio", "matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, types.ModuleType(name))
    from BeatNet.BeatNet import BeatNet

    model: Any = BeatNet(1, mode="offline", inference_model="DBN", plot=[], thread=False)

    def hear(path: str) -> Heard:
        rows = model.process(path)
        return [float(row[0]) for row in rows], [float(row[0]) for row in rows if round(row[1]) == 1]

    return hear


def main() -> None:
    """Run the command line."""
    peers = {}
    for name, module, build in (("madmom", "madmom", build_madmom), ("beatnet", "BeatNet", build_beatnet)):
        if importlib.util.find_spec(module):
            try:
                peers[name] = build()
            except ImportError as error:
                print(f"{name} does not run here: {error}", file=sys.stderr)
    print(json.dumps([{name: hear(path) for name, hear in peers.items()} for path in sys.argv[1:]]))


if __name__ == "__main__":
    main()
