"""Text to video: speed, obedience to the words, likeness to the world, and the synchronisation of sound.

    python -m benchmarks.video --json
    python -m benchmarks.video --only sync --json
    python -m benchmarks.video --only words --prompts 60 --checkpoint .runs/video/checkpoint.pt

Groups: `speed` (two torch threads), `words`, `detail` (`benchmarks.video_detail`), `honesty`
(`benchmarks.video_honesty`) and `sync`. `words` makes clips of 300 prompts in held-out wordings at the default
guidance and at 1, 3 and 6: about twenty minutes of a core in all, kept in `--folder` and taken up where they were
broken off; `failures.txt` there says what fails. `benchmarks.video_classifier` and `benchmarks.video_motion` make the
judges, `benchmarks.video_judge` says how they are asked. Ancestral sampling of 1,000 steps is timed over some of
them. diffusers' UNet3DConditionModel is given the same patched grid and about as many parameters.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.results import add_json_option, report_figures
from benchmarks.video_classifier import load_classifier
from benchmarks.video_detail import measure_detail
from benchmarks.video_honesty import measure_honesty
from benchmarks.video_judge import (
    DEFAULTS,
    STEPS,
    ClipMaker,
    draw_held_out_prompts,
    fingerprint_weights,
    judge_clips,
    list_failures,
    measure_looks,
    measure_obedience,
)
from benchmarks.video_motion import load_direction_classifier
from models.registry.registry import WEIGHTS_DIR
from models.threads import limit_spinning
from models.torchaudio_import import import_torchaudio
from models.video.generator import VideoGenerator
from models.video.prompt_parsing import PARSER_WEIGHTS, load_prompt_parser
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table
from models.video.unet3d import UNet3D

MODEL = "video/unet3d"
GROUPS = ("speed", "words", "detail", "honesty", "sync")
PROMPT = "a red ball bouncing to the right"
ANCESTRAL_STEPS, TIMED_STEPS = 1000, 12
SCALES = (DEFAULTS.guidance, 1.0, 3.0, 6.0)
SYNC_SHARDS = 8
Figures = Iterator[tuple[str, float]]


def load_generator(checkpoint: Path | None) -> VideoGenerator:
    """Load the shipped generator, or that of a training's checkpoint."""
    if checkpoint is not None:
        from training.video.train import load_average

        table = load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS)
        parser = load_prompt_parser(WEIGHTS_DIR / PARSER_WEIGHTS, table)
        return VideoGenerator(load_average(checkpoint)[0], table, parser=parser)
    from models.registry.catalog import CATALOG
    from models.registry.registry import Registry

    model = Registry(CATALOG).load(MODEL).model
    if not isinstance(model, VideoGenerator):
        raise TypeError(f"{MODEL} is a {type(model).__name__}.")
    return model


def time_shortest(run: Callable[[], object], times: int = 3) -> float:
    """Return the seconds of the fastest of some runs, after one to warm up."""
    run()
    took = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
    return min(took)


def measure_speed(generator: VideoGenerator) -> Figures:
    """Yield clip_s, speedup_vs_ddpm1000 and speedup_vs_diffusers."""
    from models.contracts import VideoRequest

    request = VideoRequest(PROMPT)
    clip_s = time_shortest(lambda: list(generator.stream(request)))
    yield "clip_s", clip_s
    yield "clip_steps", float(request.steps)
    ancestral_s = time_shortest(lambda: sample_ancestral(generator, request.guidance, TIMED_STEPS), 2) / TIMED_STEPS
    yield "ddpm1000_s", ancestral_s * ANCESTRAL_STEPS
    yield "speedup_vs_ddpm1000", ancestral_s * ANCESTRAL_STEPS / clip_s
    peer = build_diffusers_network(generator.model)
    yield "parameters", float(count_parameters(generator.model))
    yield "diffusers_parameters", float(count_parameters(peer))
    pass_s = time_shortest(lambda: run_peer(peer, generator.model), 3)
    yield "diffusers_clip_s", pass_s * request.steps
    yield "speedup_vs_diffusers", pass_s * request.steps / clip_s


def count_parameters(network: torch.nn.Module) -> int:
    """Count how many numbers a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def sample_ancestral(generator: VideoGenerator, scale: float, steps: int) -> torch.Tensor:
    """Take the first `steps` of 1,000 ancestral steps: each draws new noise (Ho et al. 2020, algorithm 2)."""
    from models.video.diffusion import Guidance, predict
    from training.video.train import embed_prompts

    model, random = generator.model, torch.Generator().manual_seed(0)
    wanted, unwanted = (embed_prompts(generator.table, [text], model.config) for text in (PROMPT, ""))
    z = torch.randn((1, 3, 16, 64, 64), generator=random)
    with torch.inference_mode():
        for step in range(steps):
            sigma, following = 1 - step / ANCESTRAL_STEPS, 1 - (step + 1) / ANCESTRAL_STEPS
            clean = predict(model, z, 1 - sigma, wanted, unwanted, Guidance(scale))
            kept = (z - (1 - sigma) * clean) / sigma
            ratio = (following / sigma) ** 2
            noise = math.sqrt(ratio) * kept + math.sqrt(1 - ratio) * torch.randn(z.shape, generator=random)
            z = (1 - following) * clean + following * noise
    return z


def build_diffusers_network(model: UNet3D, widths: Iterable[int] = range(24, 73, 8)) -> Any:
    """Build UNet3DConditionModel on the same grid, its widths chosen so that it has about as many parameters."""
    import_torchaudio()  # its repair must come before diffusers looks at it
    from diffusers import UNet3DConditionModel

    wanted, best = count_parameters(model), None
    for width in widths:
        peer = UNet3DConditionModel(
            sample_size=16,
            in_channels=model.config.patch_values,
            out_channels=model.config.patch_values,
            down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
            up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
            block_out_channels=(width, 2 * width),
            layers_per_block=1,
            norm_num_groups=8,
            cross_attention_dim=model.config.text_width,
            attention_head_dim=8,
        )
        if best is None or abs(count_parameters(peer) - wanted) < abs(count_parameters(best) - wanted):
            best = peer
    assert best is not None
    return best.eval().requires_grad_(False)


def run_peer(peer: Any, model: UNet3D) -> None:
    """Run one guided pass over a clip of 16 x 64 x 64: two rows, as the generator does."""
    frames, side = model.config.patch
    grid = torch.zeros(2, model.config.patch_values, 16 // frames, 64 // side, 64 // side)
    with torch.inference_mode():
        peer(grid, torch.tensor([500, 500]), torch.zeros(2, 8, model.config.text_width))


def measure_words(generator: VideoGenerator, count: int, folder: Path, scales: tuple[float, ...]) -> Figures:
    """Yield scene_accuracy, colour_accuracy, direction_accuracy, frechet, frechet_real and diversity_ratio."""
    classifier, known = load_classifier()
    directions, judged, read = load_direction_classifier()
    yield from {**known, **read}.items()
    prompts = draw_held_out_prompts(count)
    texts, seeds = [prompt.text for prompt in prompts], list(range(count))
    studio = ClipMaker(generator, folder / fingerprint_weights(generator))
    for scale in scales:
        made = studio.make_clips(texts, seeds, scale, STEPS)
        answers = judge_clips(classifier, directions, made)
        for name, value in measure_obedience(answers, [prompt.spec for prompt in prompts], judged).items():
            yield name if scale == scales[0] else f"{name}_guidance_{scale:g}", value
        if scale == scales[0]:
            (folder / "failures.txt").write_text("\n".join(list_failures(answers, prompts, judged)) + "\n")
            yield "guidance", scale
            yield "prompts", float(count)
            yield "direction_prompts", float(sum(prompt.spec.kind in judged for prompt in prompts))
            yield from measure_looks(classifier, prompts, made, studio, scale).items()


def measure_sync(folder: Path) -> Figures:
    """Yield sync_within_one_frame and aligned_offset_ms of held-out clips shifted within half a second."""
    from models.video.sync import SYNC_WEIGHTS, load_sync
    from training.video.sync import SoundBank, measure
    from training.video.sync_data import HELD_OUT_FROM, prepare, read_shards

    prepare(folder / "sync", SYNC_SHARDS, HELD_OUT_FROM)
    checker, bank = load_sync(WEIGHTS_DIR / SYNC_WEIGHTS), SoundBank(2)
    clips = read_shards(folder / "sync", held_out=True)
    yield from measure(checker, clips, bank, 3.0).items()
    for name, value in measure(checker, clips, bank, 2.0).items():
        yield f"{name}_2s", value


def main() -> None:
    """Measure and print."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "video")
    parser.add_argument("--only", choices=GROUPS, action="append")
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--guidance", type=float, action="append", help="the first one is the default")
    parser.add_argument("--checkpoint", type=Path, help="of a training, in the place of the shipped weights")
    parser.add_argument("--folder", type=Path, default=Path(".runs/video_benchmark"))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    wanted = tuple(options.only or GROUPS)
    generator = load_generator(options.checkpoint) if set(wanted) - {"sync"} else None
    figures: dict[str, float] = {}
    for group in wanted:
        found: Figures
        if group == "sync":
            found = measure_sync(options.folder)
        else:
            assert generator is not None
            scales = tuple(options.guidance or SCALES)
            if group == "detail":
                found = measure_detail(generator)
            elif group == "honesty":
                found = iter(measure_honesty(generator.reader).items())
            elif group == "speed":
                found = measure_speed(generator)
            else:
                found = measure_words(generator, options.prompts, options.folder, scales)
        for key, value in found:
            figures[key] = round(float(np.float64(value)), 4)
            if not options.json:
                print(f"{key:32} {figures[key]}", flush=True)
    if options.json:
        report_figures("video", figures, options.json)


if __name__ == "__main__":
    main()
