"""Music: likelihood, obedience, distributions, copying, speed, and the public chorale benchmark.

    python -m benchmarks.music --json                       what needs no data: speed, control, form, copying
    python -m benchmarks.music --json --corpus FILE         also likelihood, distributions, the form of real pieces
    python -m benchmarks.music --json --jsb FOLDER          also trains on the chorales (about 25 minutes of one core)
    python -m benchmarks.music --json --judged FOLDER       takes jsb_*.json, which `training.music.chorales` wrote

`--corpus` is the file that `python -m training.music.train prepare` writes. `--jsb` holds jsb-chorales-16th.json; what
it trains is kept in .runs/jsb and taken from there the next time. `--only` names groups: speed, control, likelihood,
distributions, copying, first_audio, form. Control, form and first audio are measured on the composer itself, the rest
on its sampler (temperature 1, top-p 0.95).
Needs what requirements-dev.txt installs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.music_form import measure_forms
from benchmarks.results import add_json_option, report_figures
from models.music.composer import MusicComposer
from models.music.constraints import Constraints
from models.music.contracts import MusicRequest
from models.music.controls import measure_density, measure_key
from models.music.copy_detector import COPY_INDEX_FILE, MAX_SHARED_NOTES, CopyDetector
from models.music.musical_context import ContextTracer, PlannedBar, trace_context
from models.music.onnx_step import make_step_network
from models.music.sampling import MusicSampler, SamplingSettings
from models.music.score import COMMON_TIME, Piece
from models.music.tokenizer import decode_piece
from models.music.transformer import MusicTransformer
from models.music.vocabulary import KEY, KEYS, PAD, POSITIONS_PER_QUARTER, STYLES, TEMPI, find_tempo
from models.music.weights import MUSIC_FILE, load_model
from models.torchaudio_import import import_torchaudio
from training.music.chorales import ChoraleRecipe, train_chorales
from training.music.corpus import COLLECTIONS, Corpus
from training.music.examples import Excerpts
from training.music.metrics import (
    compute_kl_divergence,
    measure_note_lengths,
    measure_overlap,
    measure_pitch_classes,
    measure_polyphony,
    measure_simultaneity,
)

WEIGHTS = Path(__file__).resolve().parents[1] / "models" / "weights"
ENSEMBLES: dict[str, tuple[tuple[int, ...], bool]] = {
    "pop": ((73, 0, 33), True),
    "lieder": ((40, 0), False),
    "chorales": ((52, 52, 52, 52), False),
}
SPEED_TOKENS = 512
JUDGED_TOKENS = 768
POSITIONS = ("relative", "absolute")
GROUPS = ["speed", "control", "first_audio", "form", "likelihood", "distributions", "copying"]
Measured = Iterator[tuple[str, float]]


def correlate_ranks(x: Sequence[float], y: Sequence[float]) -> float:
    """Compute the rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic)


def measure_length_s(piece: Piece) -> float:
    """Measure how long a piece lasts."""
    return sum(bar.positions * 60 / POSITIONS_PER_QUARTER / TEMPI[bar.tempo] for bar in piece.bars)


class PieceWriter:
    """A writer of pieces with the shipped model, as the composer writes them."""

    def __init__(self, model: MusicTransformer) -> None:
        self.sampler = MusicSampler(make_step_network(model))

    def write(self, constraints: Constraints, seed: int, pieces: int = 1) -> list[Piece]:
        """Write pieces of at most a training row's length."""
        settings = SamplingSettings(top_p=0.95, max_tokens=JUDGED_TOKENS, seed=seed)
        return [decode_piece(tokens) for tokens in self.sampler.sample([()] * pieces, settings, constraints)]


def build_constraints(style: str, bars: int, **controls: int) -> Constraints:
    """Build a request as the tab makes it: style and ensemble, one meter and tempo throughout."""
    programs, drums = ENSEMBLES[style]
    return Constraints(
        bars=bars,
        controls={"Style": STYLES.index(style), "Meter": COMMON_TIME, **controls},
        programs=programs,
        drums=drums,
        may_change_meter=False,
        may_change_tempo=False,
    )


def measure_speed(model: MusicTransformer) -> Measured:
    """Yield speedup_vs_gpt2, in time of one thread of the processor, and realtime_factor; medians of five.

    The speed-up is taken without guidance, one pass of the network a token like GPT-2's; with guidance (two passes) it
    is reported beside it. The real-time factors are with guidance where the composer uses it: with a key or a density.
    """
    import_torchaudio()
    from transformers import GPT2Config, GPT2LMHeadModel

    config = model.config
    gpt2 = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.n_tokens,
            n_positions=SPEED_TOKENS + 2,
            n_embd=config.width,
            n_layer=config.layers,
            n_head=config.heads,
            n_inner=config.feedforward,
            bos_token_id=1,
            eos_token_id=None,
            pad_token_id=0,
        )
    ).eval()
    writer = PieceWriter(model)
    ways = {
        name: SamplingSettings(top_p=0.95, max_tokens=SPEED_TOKENS, guidance=guidance)
        for name, guidance in (("ours", 1.0), ("guided", SamplingSettings.guidance))
    }
    endless = build_constraints("pop", 64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rates: dict[str, list[float]] = {"gpt2": [], "ours": [], "guided": []}
    for turn in range(6):
        started = time.process_time()
        with torch.inference_mode():
            start = torch.ones(1, 1, dtype=torch.long)
            made = gpt2.generate(start, do_sample=True, max_new_tokens=SPEED_TOKENS, min_new_tokens=SPEED_TOKENS)
        rates["gpt2"].append((made.shape[1] - 1) / (time.process_time() - started))
        for name, settings in ways.items():
            started = time.process_time()
            written = writer.sampler.sample([()], settings, endless)[0]
            rates[name].append((len(written) - 1) / (time.process_time() - started))
        if turn == 0:
            rates = {name: [] for name in rates}  # the first warms up
    torch.set_num_threads(threads)
    ours, guided, theirs = (statistics.median(rates[name]) for name in ("ours", "guided", "gpt2"))
    yield "tokens_a_second", ours
    yield "tokens_a_second_guided", guided
    yield "gpt2_tokens_a_second", theirs
    yield "speedup_vs_gpt2", ours / theirs
    yield "speedup_vs_gpt2_guided", guided / theirs
    for style in ENSEMBLES:
        factors = []
        for seed in range(5):
            started = time.perf_counter()
            piece = writer.write(build_constraints(style, 8, Tempo=find_tempo(100)), seed)[0]
            factors.append(measure_length_s(piece) / (time.perf_counter() - started))
        yield f"realtime_factor_{style}", statistics.median(factors)


def load_composer() -> MusicComposer:
    """Load the composer as the studio does."""
    return MusicComposer(load_model(WEIGHTS / MUSIC_FILE), copy_detector=CopyDetector.load(WEIGHTS / COPY_INDEX_FILE))


def measure_first_audio() -> Measured:
    """Yield first_audio_ms: from a request to the first sound, warm, with a key asked for; median of eight."""
    maker, waits = load_composer(), []
    for seed in range(9):
        request = MusicRequest(style="pop", key="C major", meter="4/4", bars=8, programs=(0, 33), drums=True, seed=seed)
        started = time.perf_counter()
        for chunk in maker.stream(request):
            if chunk.samples.shape[1]:
                waits.append(1000 * (time.perf_counter() - started))
                break
    yield "first_audio_ms", statistics.median(waits[1:])
    yield "first_audio_ms_longest", max(waits[1:])


def measure_control(pieces: int = 100) -> Measured:
    """Yield control_key, control_tempo and control_density: asked of the composer against measured, eight bars each."""
    maker, random = load_composer(), np.random.default_rng(11)
    hits, tempi, densities = [], [], []
    styles = list(ENSEMBLES)
    for number in range(pieces):
        key, tempo = int(random.integers(24)), float(random.uniform(60, 160))
        density = float(2 ** random.uniform(0.5, 3))
        programs, drums = ENSEMBLES[styles[number % 3]]
        request = MusicRequest(
            style=styles[number % 3],
            key=KEYS[key],
            tempo=tempo,
            density=density,
            meter="4/4",
            bars=8,
            programs=programs,
            drums=drums,
            seed=number,
        )
        last = list(maker.stream(request))[-1]
        piece = last.piece
        assert piece is not None
        hits.append(measure_key(piece) == key)
        quarters = piece.positions / POSITIONS_PER_QUARTER
        tempi.append((tempo, quarters * 60 / (measure_length_s(piece) / last.tempo_scale)))
        densities.append((density, measure_density(piece)))
    yield "control_key", float(np.mean(hits))
    yield "control_tempo", correlate_ranks(*zip(*tempi, strict=True))
    yield "control_density", correlate_ranks(*zip(*densities, strict=True))


def measure_likelihood(model: MusicTransformer, corpus: Corpus) -> Measured:
    """Yield nll_COLLECTION: nats a token on held-out pieces, 24 excerpts of JUDGED_TOKENS a collection, no plan."""
    excerpts = Excerpts(corpus, JUDGED_TOKENS)
    for name in COLLECTIONS:
        total, count = 0.0, 0
        for row in excerpts.list_rows(name, 24).tolist():
            tokens = [token for token in row if token != PAD.first]
            context = trace_context([ContextTracer(read_bars(tokens))], [tokens[:-1]])
            with torch.inference_mode():
                logits = model(torch.tensor([tokens[:-1]]), context=context)[0]
                total += float(F.cross_entropy(logits, torch.tensor(tokens[1:]), reduction="sum"))
            count += len(tokens) - 1
        yield f"nll_{name}", total / count


def read_bars(tokens: Sequence[int]) -> Iterator[PlannedBar]:
    """Read where the bars of an excerpt lie, and its key; nothing else is planned."""
    key = next((token - KEY.first for token in tokens[:7] if KEY.first <= token < KEY.stop), None)
    piece = decode_piece(tokens)
    return (PlannedBar(start=start, key=key) for start in piece.list_bar_starts()[:-1])


def write_samples(writer: PieceWriter, count: int = 99) -> dict[str, list[Piece]]:
    """Write pieces of eight bars with nothing asked but the style, the meter and its ensemble."""
    each = count // len(ENSEMBLES)
    return {
        style: [
            piece
            for seed in range(each // 11)
            for piece in writer.write(build_constraints(style, 8), 500 + seed, pieces=11)
        ]
        for style in ENSEMBLES
    }


def compare_distributions(written: dict[str, list[Piece]], corpus: Corpus) -> Measured:
    """Yield overlap and KL divergence of samples and held-out excerpts, and of two halves of the held-out ones."""
    testing = Excerpts(corpus, JUDGED_TOKENS)
    random = np.random.default_rng(3)
    for name, histogram in (
        ("pitch", measure_pitch_classes),
        ("length", measure_note_lengths),
        ("polyphony", measure_polyphony),
    ):
        sides: list[list[np.ndarray]] = [[], [], []]
        for style, pieces in written.items():
            excerpts = [testing.draw_excerpt(style, random).slice(0, 8) for _ in range(2 * len(pieces))]
            for side, some in zip(sides, (pieces, excerpts[::2], excerpts[1::2]), strict=True):
                side.append(measure_simultaneity(histogram(piece) for piece in some if piece.note_count))
        ours, theirs, others = sides
        for measure, compare in (("overlap", measure_overlap), ("kl", compute_kl_divergence)):
            yield f"{name}_{measure}", float(np.mean([compare(p, q) for p, q in zip(ours, theirs, strict=True)]))
            between = [compare(p, q) for p, q in zip(others, theirs, strict=True)]
            yield f"{name}_{measure}_held_out", float(np.mean(between))


def measure_copying(written: dict[str, list[Piece]], corpus: Corpus | None) -> Measured:
    """Yield longest_shared_run: notes that a sample shares with a training piece; held-out excerpts for comparison."""
    detector = CopyDetector.load(WEIGHTS / COPY_INDEX_FILE)
    runs = [detector.find_longest_run(piece).notes for pieces in written.values() for piece in pieces]
    yield "longest_shared_run", float(max(runs))
    yield "median_shared_run", float(np.median(runs))
    yield "samples_above_limit", float(sum(run > MAX_SHARED_NOTES for run in runs))
    if corpus is not None:
        testing, random = Excerpts(corpus, JUDGED_TOKENS), np.random.default_rng(3)
        excerpts = [testing.draw_excerpt(style, random).slice(0, 8) for style in written for _ in range(33)]
        own = [detector.find_longest_run(excerpt).notes for excerpt in excerpts]
        yield "longest_shared_run_held_out", float(max(own))
        yield "median_shared_run_held_out", float(np.median(own))


def measure_chorales(folder: Path) -> Measured:
    """Yield jsb_test_nll and jsb_test_nll_absolute: see training.music.chorales."""
    for position in POSITIONS:
        checkpoint = Path(".runs") / "jsb" / f"{position}.pt"
        results = train_chorales(folder / "jsb-chorales-16th.json", position, ChoraleRecipe(), checkpoint)
        yield from _name_chorale_figures(position, results)


def read_chorales(folder: Path) -> Measured:
    """Yield the same from what `python -m training.music.chorales` wrote into a folder."""
    for position in POSITIONS:
        yield from _name_chorale_figures(position, json.loads((folder / f"jsb_{position}.json").read_text()))


def _name_chorale_figures(position: str, results: Mapping[str, float]) -> Measured:
    suffix = "" if position == "relative" else f"_{position}"
    for name in ("test", "valid", "parameters"):
        yield f"jsb_{name}_nll{suffix}" if name != "parameters" else f"jsb_parameters{suffix}", results[name]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "music")
    parser.add_argument("--corpus", type=Path, help="what `training.music.train prepare` wrote")
    parser.add_argument("--jsb", type=Path, help="folder with jsb-chorales-16th.json: train on it and judge")
    parser.add_argument("--judged", type=Path, help="folder with jsb_relative.json and jsb_absolute.json")
    parser.add_argument("--only", nargs="*", default=GROUPS)
    arguments = parser.parse_args()
    model = load_model(WEIGHTS / MUSIC_FILE)
    corpus = Corpus.load(arguments.corpus) if arguments.corpus else None
    results: dict[str, float] = {}

    def take(measured: Measured) -> None:
        for name, value in measured:
            results[name] = value
            print(f"{name}: {value:.4g}", flush=True)

    if "speed" in arguments.only:
        take(measure_speed(model))
    if "control" in arguments.only:
        take(measure_control())
    if "first_audio" in arguments.only:
        take(measure_first_audio())
    if "form" in arguments.only:
        take(measure_forms(load_composer(), corpus))
    if "likelihood" in arguments.only and corpus:
        take(measure_likelihood(model, corpus))
    if {"distributions", "copying"} & set(arguments.only):
        written = write_samples(PieceWriter(model))
        if corpus and "distributions" in arguments.only:
            take(compare_distributions(written, corpus))
        if "copying" in arguments.only:
            take(measure_copying(written, corpus))
    if arguments.judged:
        take(read_chorales(arguments.judged))
    if arguments.jsb:
        take(measure_chorales(arguments.jsb))
    if arguments.json:
        report_figures("music", results, arguments.json)


if __name__ == "__main__":
    main()
