"""The 3D U-Net and its diffusion: shapes, conditioning, guidance, samplers against diffusers' schedulers."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from models.torchaudio_import import import_torchaudio
from models.video.diffusion import COARSE_SHARE, Guidance, add_noise, compute_loss, compute_sigmas, predict, sample
from models.video.unet3d import Condition, UNet3D, UNet3DConfig, patchify, unpatchify

CONFIG = UNet3DConfig.debug()


def make(seed: int = 0) -> UNet3D:
    """A debug network in which nothing is zero any more."""
    torch.manual_seed(seed)
    model = UNet3D(CONFIG).eval()
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return model.requires_grad_(False)


def condition(rows: int = 2, words: int = 5, seed: int = 1, attributes: int = 0) -> Condition:
    """Random words."""
    random = torch.Generator().manual_seed(seed)
    said = torch.ones(rows, words, dtype=torch.bool)
    vectors = torch.randn(rows, words, CONFIG.text_width, generator=random)
    return Condition(vectors, said, torch.full((rows, len(CONFIG.attributes)), attributes))


def nothing(rows: int = 2) -> Condition:
    """An unconditional condition."""
    words = torch.zeros(rows, 1, CONFIG.text_width)
    return Condition(
        words, torch.zeros(rows, 1, dtype=torch.bool), torch.zeros(rows, len(CONFIG.attributes), dtype=torch.long)
    )


CLIP = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(5))
T = torch.tensor([0.3, 0.3])


def test_patches_come_back() -> None:
    grid = patchify(CLIP, (2, 4))
    assert grid.shape == (2, 2, 96, 4, 4)
    assert torch.equal(unpatchify(grid, (2, 4)), CLIP)
    assert torch.equal(grid[1, 1, :, 2, 3], CLIP[1, :, 2:4, 8:12, 12:16].flatten())


@pytest.mark.parametrize("shape", [(2, 8, 8), (4, 16, 16), (6, 16, 24), (16, 32, 8)])
def test_shapes_at_several_sizes(shape: tuple[int, int, int]) -> None:
    assert make()(torch.randn(2, 3, *shape), T, condition()).shape == (2, 3, *shape)


def test_an_odd_size_is_named() -> None:
    with pytest.raises(ValueError, match="multiple"):
        make()(torch.randn(1, 3, 3, 16, 16), T[:1], condition(1))


def test_time_text_attributes_and_known_frames_change_the_output() -> None:
    model = make()
    base = model(CLIP, T, condition())
    known = torch.tensor([[True, False, False, False]] * 2)
    others = {
        "time": model(CLIP, T + 0.2, condition()),
        "text": model(CLIP, T, condition(seed=2)),
        "order": model(CLIP, T, Condition(condition().words.flip(1), condition().said, condition().attributes)),
        "attributes": model(CLIP, T, condition(attributes=1)),
        "known": model(CLIP, T, condition(), known),
        "nothing": model(CLIP, T, nothing()),
    }
    for name, other in others.items():
        assert (other - base).abs().max() > 1e-4, name


def test_padding_changes_nothing_and_rows_do_not_see_each_other() -> None:
    model = make()
    padded = Condition.cat([condition(1), condition(1, words=9, seed=7)])
    both = model(CLIP, T, padded)
    assert torch.allclose(both[:1], model(CLIP[:1], T[:1], condition(1)), atol=1e-5)
    assert torch.allclose(both[1:], model(CLIP[1:], T[1:], condition(1, 9, 7)), atol=1e-5)


def test_every_frame_hears_of_every_other() -> None:
    clip = CLIP.clone().requires_grad_()
    seen = make()(clip, T, condition())[0, :, 3].sum()
    gradient = torch.autograd.grad(seen, clip)[0]
    assert (gradient[0].abs().amax(dim=(0, 2, 3)) > 0).all()
    assert gradient[1].abs().max() == 0


def test_guidance_one_is_the_conditional_alone_and_batched_equals_two_passes() -> None:
    model, wanted = make(), condition()
    plain = model(CLIP, T, wanted)
    assert torch.equal(predict(model, CLIP, 0.3, wanted, nothing(), Guidance(1.0, clip=1e9)), plain)
    free = model(CLIP, T, nothing())
    guided = predict(model, CLIP, 0.3, wanted, nothing(), Guidance(4.0, rescale=0.0, clip=1e9))
    assert torch.allclose(guided, free + 4 * (plain - free), atol=1e-4)
    same_spread = predict(model, CLIP, 0.3, wanted, nothing(), Guidance(4.0, rescale=1.0, clip=1e9))
    assert torch.allclose(same_spread.std(dim=(1, 2, 3, 4)), plain.std(dim=(1, 2, 3, 4)), rtol=1e-3)
    negative = predict(model, CLIP, 0.3, wanted, condition(seed=9), Guidance(4.0, rescale=0.0, clip=1e9))
    assert (negative - guided).abs().max() > 1e-4


def denoiser(z: Tensor, t: float) -> Tensor:
    """A prediction that depends on both, smooth."""
    return torch.tanh(0.7 * z + t) - 0.2


def by_diffusers(scheduler: object, noise: Tensor, sigmas: list[float]) -> Tensor:
    """A sampling run with a scheduler of diffusers, fed with the velocity e - x."""
    scheduler.set_timesteps(sigmas=sigmas)  # type: ignore[attr-defined]
    z = noise
    for step, timestep in enumerate(scheduler.timesteps):  # type: ignore[attr-defined]
        sigma = float(scheduler.sigmas[step])  # type: ignore[attr-defined]
        velocity = (z - denoiser(z, 1 - sigma)) / sigma
        z = scheduler.step(velocity, timestep, z).prev_sample  # type: ignore[attr-defined]
    return z


def test_euler_equals_diffusers_flow_matching_scheduler() -> None:
    import_torchaudio()
    from diffusers import FlowMatchEulerDiscreteScheduler

    ours = list(sample(denoiser, CLIP, 8, "euler"))
    theirs = by_diffusers(FlowMatchEulerDiscreteScheduler(), CLIP, compute_sigmas(8)[:-1])
    assert torch.allclose(ours[-1], theirs, atol=1e-4)


def test_dpm_solver_equals_diffusers() -> None:
    import_torchaudio()
    from diffusers import DPMSolverMultistepScheduler

    from models.video.diffusion import step_dpm

    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, final_sigmas_type="zero", lower_order_final=True
    )
    scheduler.set_timesteps(8)
    sigmas = [float(sigma) for sigma in scheduler.sigmas]
    ours, theirs, earlier = CLIP, CLIP, None
    for step, timestep in enumerate(scheduler.timesteps):
        clean = denoiser(ours, 1 - sigmas[step])
        ours = step_dpm(ours, clean, earlier, (sigmas[max(step - 1, 0)], sigmas[step], sigmas[step + 1]))
        earlier = clean
        velocity = (theirs - denoiser(theirs, 1 - sigmas[step])) / sigmas[step]
        theirs = scheduler.step(velocity, timestep, theirs).prev_sample
    assert torch.allclose(ours, theirs, atol=2e-3)


def test_samplers_reach_the_clip_that_a_perfect_denoiser_knows() -> None:
    target = CLIP.clamp(-1, 1)
    for solver in ("dpm++", "euler"):
        steps = list(sample(lambda z, t: target, torch.randn_like(CLIP), 5, solver))
        assert len(steps) == 5
        assert torch.allclose(steps[-1], target, atol=1e-5)


def test_a_seed_fixes_all_and_known_frames_are_kept() -> None:
    model, wanted = make(), condition()
    known = torch.tensor([[True, True, False, False]] * 2)

    def run(seed: int) -> Tensor:
        noise = torch.randn(CLIP.shape, generator=torch.Generator().manual_seed(seed))

        def denoise(z: Tensor, t: float) -> Tensor:
            return predict(model, z, t, wanted, nothing(), Guidance(), known)

        return list(sample(denoise, noise, 3, given=CLIP, known=known))[-1]

    assert torch.equal(run(3), run(3))
    assert not torch.equal(run(3), run(4))
    assert torch.equal(run(3)[:, :, :2], CLIP[:, :, :2])


def test_noise_is_a_straight_line_and_the_loss_ignores_given_frames() -> None:
    assert torch.allclose(add_noise(CLIP, -CLIP, torch.tensor([1.0, 0.5]))[1], torch.zeros_like(CLIP[1]))
    everything = torch.ones(2, 4, dtype=torch.bool)
    loss = compute_loss(make(), CLIP, condition(), everything, torch.Generator().manual_seed(0))
    assert float(loss) == 0


def test_the_loss_counts_what_is_wrong_on_the_whole_once_more() -> None:
    class Off(torch.nn.Module):
        """Errs by so much at every place, with the same sign or with signs that cancel out."""

        def __init__(self, signs: torch.Tensor) -> None:
            super().__init__()
            self.signs = signs

        def forward(self, noisy: torch.Tensor, *_: object) -> torch.Tensor:
            return CLIP + 0.1 * self.signs

    even = torch.ones_like(CLIP)
    odd = even.clone()
    odd[..., ::2] = -1
    random = torch.Generator()
    whole, apart = (
        compute_loss(Off(signs), CLIP, condition(), None, random.manual_seed(0))  # type: ignore[arg-type]
        for signs in (even, odd)
    )
    assert torch.allclose(whole, (1 + COARSE_SHARE) * apart)


def test_training_learns_a_clip() -> None:
    torch.manual_seed(0)
    model = UNet3D(CONFIG)
    clip = CLIP[:1].clamp(-1, 1).expand(4, -1, -1, -1, -1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    random, losses = torch.Generator().manual_seed(0), []
    for _ in range(30):
        loss = compute_loss(model, clip, condition(4), None, random)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_configuration_survives_json() -> None:
    assert UNet3DConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG
    with pytest.raises(ValueError, match="widths"):
        UNet3DConfig(widths=(10,))
