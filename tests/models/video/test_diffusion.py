"""The diffusion of the video model: noise, loss and guidance by their equations, levels and samplers as diffusers'."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.torchaudio_import import import_torchaudio
from models.video.diffusion import (
    LEAST_SIGMA,
    SHIFT,
    TIME_MEAN,
    TIME_SPREAD,
    Guidance,
    add_noise,
    compute_loss,
    compute_sigmas,
    predict,
    rescale,
    sample,
    step_dpm,
    step_euler,
)
from models.video.unet3d import Condition, UNet3D
from tests.models.video.debug_unet import CLIP, CONFIG, make_condition, make_empty_condition, make_network

KNOWN = torch.tensor([[True, False, False, False], [False, False, True, True]])
NO_CLIP = 1e9  # a bound of predicted values that none reaches


class Spy(nn.Module):
    """A network that keeps what it is given, and errs by `error` at every place."""

    def __init__(self, clean: Tensor, error: Tensor | float = 0.1) -> None:
        super().__init__()
        self.clean, self.error, self.given = clean, error, []  # type: ignore[var-annotated]

    def forward(self, noisy: Tensor, t: Tensor, condition: Condition, known: Tensor | None = None) -> Tensor:
        self.given.append((noisy, t, condition, known))
        return self.clean + self.error


def run_loss(model: nn.Module, clean: Tensor, known: Tensor | None = None, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return compute_loss(model, clean, make_condition(len(clean)), known, random)  # type: ignore[arg-type]


def draw(shape: torch.Size, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw times and noise as the loss does."""
    random = torch.Generator().manual_seed(seed)
    t = torch.sigmoid(TIME_MEAN + TIME_SPREAD * torch.randn(shape[0], generator=random))
    return t, torch.randn(shape, generator=random)


# ---- noise and loss


def test_noise_lies_on_the_straight_line_between_noise_and_clip() -> None:
    noise = torch.randn_like(CLIP)
    noisy = add_noise(CLIP, noise, torch.tensor([1.0, 0.25]))
    assert torch.equal(noisy[0], CLIP[0])
    assert torch.allclose(noisy[1], 0.25 * CLIP[1] + 0.75 * noise[1])


def test_the_network_is_given_the_noisy_clip_its_times_and_the_known_frames_clean() -> None:
    t, noise = draw(CLIP.shape)
    for known in (None, KNOWN):
        spy = Spy(CLIP)
        run_loss(spy, CLIP, known)
        noisy, times, _, given = spy.given[0]
        wanted = add_noise(CLIP, noise, t)
        if known is not None:
            wanted[0, :, 0], wanted[1, :, 2:] = CLIP[0, :, 0], CLIP[1, :, 2:]
        assert torch.equal(times, t) and given is known
        assert torch.allclose(noisy, wanted)


def test_times_of_training_lie_where_a_clip_is_decided() -> None:
    """Half of them below 0.1, as the recipe says, and one in six above 0.33."""
    spy = Spy(torch.zeros(4000, 3, 1, 1, 1))
    run_loss(spy, spy.clean)
    times = spy.given[0][1]
    assert float((times < 0.1).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float((times > 0.332).float().mean()) == pytest.approx(0.159, abs=0.02)


def test_the_loss_is_that_of_the_velocity_with_sigma_bounded_from_below() -> None:
    """On x it is divided by sigma squared; signs that cancel out in every window leave the coarse part at 0."""
    signs = torch.ones_like(CLIP)
    signs[..., ::2] = -1
    t, _ = draw(CLIP.shape)
    plain = float(run_loss(Spy(CLIP, 0.1 * signs), CLIP))
    assert plain == pytest.approx(float((0.1 / (1 - t)).square().mean()), rel=1e-4)
    late = [seed for seed in range(4000) if float(draw(torch.Size([1, 3, 4, 16, 16]), seed)[0]) > 1 - LEAST_SIGMA]
    assert late, "no seed draws a time that the bound is for"
    bounded = float(run_loss(Spy(CLIP[:1], 0.1 * signs[:1]), CLIP[:1], seed=late[0]))
    assert bounded == pytest.approx((0.1 / 0.08) ** 2, rel=1e-4)


def test_the_loss_counts_what_is_wrong_on_the_whole_once_more() -> None:
    odd = torch.ones_like(CLIP)
    odd[..., ::2] = -1
    whole, apart = (run_loss(Spy(CLIP, 0.1 * signs), CLIP) for signs in (torch.ones_like(CLIP), odd))
    assert torch.allclose(whole, 2 * apart)


def test_the_coarse_error_is_that_of_means_over_four_frames_and_sixteen_pixels() -> None:
    """One wrong window of many counts as the square of its mean; a clip smaller than a window is one window."""
    clean = torch.zeros(1, 3, 8, 32, 32)
    error = torch.zeros_like(clean)
    error[:, :, :4, :16, 16:] = 0.1
    t, _ = draw(clean.shape)
    square = float((0.1 / (1 - t)).square().mean())
    assert float(run_loss(Spy(clean, error), clean)) == pytest.approx(2 * square / 8, rel=1e-4)
    error = torch.zeros_like(clean)
    error[:, :, :2, :8, :8] = 0.1  # an eighth of one window
    wanted = square / 64 + square / 8**2 / 8
    assert float(run_loss(Spy(clean, error), clean)) == pytest.approx(wanted, rel=1e-4)
    small = clean[:, :, :2, :8, :8]
    t, _ = draw(small.shape)
    wanted = 2 * float((0.1 / (1 - t)).square().mean())
    assert float(run_loss(Spy(small), small)) == pytest.approx(wanted, rel=1e-4)


def test_given_frames_count_nothing_and_the_others_as_much_as_without_them() -> None:
    error = torch.zeros_like(CLIP)
    error[0, :, 0], error[1, :, 2:] = 5.0, 5.0  # wrong where the frames are given
    assert float(run_loss(Spy(CLIP, error), CLIP, KNOWN)) == 0
    odd = torch.ones_like(CLIP)
    odd[..., ::2] = -1
    t, _ = draw(CLIP.shape)
    rows = (0.1 / (1 - t)).square() * torch.tensor([3.0, 2.0])  # frames of each row that are wanted
    assert float(run_loss(Spy(CLIP, 0.1 * odd), CLIP, KNOWN)) == pytest.approx(float(rows.sum()) / 5, rel=1e-4)
    assert float(run_loss(Spy(CLIP), CLIP, torch.ones(2, 4, dtype=torch.bool))) == 0


@pytest.mark.slow
def test_training_learns_a_clip() -> None:
    torch.manual_seed(0)
    model = UNet3D(CONFIG)
    clip = CLIP[:1].clamp(-1, 1).expand(4, -1, -1, -1, -1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    random, losses = torch.Generator().manual_seed(0), []
    for _ in range(30):
        loss = compute_loss(model, clip, make_condition(4), None, random)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


# ---- guidance


def test_guidance_one_is_the_conditional_alone_and_batched_equals_two_passes() -> None:
    model, wanted = make_network(), make_condition()
    times = torch.tensor([0.3, 0.3])
    plain = model(CLIP, times, wanted)
    assert torch.equal(predict(model, CLIP, 0.3, wanted, make_empty_condition(), Guidance(1.0, clip=NO_CLIP)), plain)
    free = model(CLIP, times, make_empty_condition())
    guided = predict(model, CLIP, 0.3, wanted, make_empty_condition(), Guidance(4.0, rescale=0.0, clip=NO_CLIP))
    assert torch.allclose(guided, free + 4 * (plain - free), atol=1e-4)
    negative = predict(model, CLIP, 0.3, wanted, make_condition(seed=9), Guidance(4.0, rescale=0.0, clip=NO_CLIP))
    assert (negative - guided).abs().max() > 1e-4


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_times_have_the_precision_of_the_clip(scale: float) -> None:
    spy = Spy(CLIP.double().repeat(2 if scale != 1 else 1, 1, 1, 1, 1), 0.0)
    predict(spy, CLIP.double(), 0.3, make_condition(), make_empty_condition(), Guidance(scale))  # type: ignore[arg-type]
    assert spy.given[0][1].dtype == torch.float64


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_known_frames_reach_every_row_and_values_are_bounded_on_both_sides(scale: float) -> None:
    spy = Spy(CLIP.repeat(2 if scale != 1 else 1, 1, 1, 1, 1), 0.0)
    made = predict(
        spy,  # type: ignore[arg-type]
        CLIP,
        0.3,
        make_condition(),
        make_empty_condition(),
        Guidance(scale, rescale=0.0, clip=0.5),
        KNOWN,
    )
    noisy, times, _, known = spy.given[0]
    assert torch.equal(known, torch.cat([KNOWN, KNOWN]) if scale != 1 else KNOWN)
    assert torch.equal(noisy[:2], CLIP) and torch.equal(times, torch.full((len(noisy),), 0.3))
    assert torch.allclose(made, CLIP.clamp(-0.5, 0.5))


def test_rescaling_gives_each_row_the_spread_of_the_conditional_in_part() -> None:
    guided = torch.stack([3 * CLIP[0], 0.5 * CLIP[1] + 2])
    whole = rescale(guided, CLIP, 1.0)
    assert torch.allclose(whole.std(dim=(1, 2, 3, 4)), CLIP.std(dim=(1, 2, 3, 4)), rtol=1e-4)
    assert torch.allclose(rescale(guided, CLIP, 0.25), 0.25 * whole + 0.75 * guided, atol=1e-5)
    assert torch.equal(rescale(guided, CLIP, 0.0), guided)
    flat = torch.full_like(CLIP, 0.5)
    assert torch.isfinite(rescale(flat, CLIP, 1.0)).all()  # a flat picture has no spread to divide by


def test_guidance_that_is_not_asked_for_is_that_of_the_studio() -> None:
    assert {Guidance()} == {Guidance(scale=3.0, rescale=0.5, clip=1.0)}  # as a value that may be a key


def test_guidance_rescales_in_predict_as_asked() -> None:
    model, wanted = make_network(), make_condition()
    plain = predict(model, CLIP, 0.3, wanted, make_empty_condition(), Guidance(1.0, clip=NO_CLIP))
    same = predict(model, CLIP, 0.3, wanted, make_empty_condition(), Guidance(4.0, rescale=1.0, clip=NO_CLIP))
    assert torch.allclose(same.std(dim=(1, 2, 3, 4)), plain.std(dim=(1, 2, 3, 4)), rtol=1e-3)


# ---- levels and samplers


def denoise_smoothly(z: Tensor, t: float) -> Tensor:
    """Return a prediction that depends on both, smooth."""
    return torch.tanh(0.7 * z + t) - 0.2


def run_scheduler(scheduler: Any, noise: Tensor) -> Iterator[Tensor]:
    """Yield the states of a sampling run with a scheduler of diffusers, which is fed with the velocity e - x."""
    z = noise
    for step, timestep in enumerate(scheduler.timesteps):
        sigma = float(scheduler.sigmas[step])
        velocity = (z - denoise_smoothly(z, 1 - sigma)) / sigma
        z = scheduler.step(velocity, timestep, z).prev_sample
        yield z


def make_euler(steps: int, shift: float) -> Any:
    """Return diffusers' Euler scheduler, which computes its levels itself: so many of a training of `steps` levels."""
    import_torchaudio()
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=steps)
    scheduler.set_shift(shift)
    scheduler.set_timesteps(steps)
    return scheduler


def make_dpm(steps: int, shift: float) -> Any:
    """Return diffusers' DPM-Solver++(2M), which computes its levels itself, of a training whose first is 1."""
    import_torchaudio()
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, final_sigmas_type="zero"
    )
    scheduler.register_to_config(num_train_timesteps=10**9)
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize("make_scheduler", [make_euler, make_dpm])
@pytest.mark.parametrize("shift", [1.0, 2.5, SHIFT])
@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_levels_are_those_that_diffusers_computes(make_scheduler: Callable[..., Any], shift: float, steps: int) -> None:
    theirs = make_scheduler(steps, shift).sigmas
    assert torch.allclose(torch.tensor(compute_sigmas(steps, shift)), theirs, atol=1e-6)
    assert len(theirs) == steps + 1


@pytest.mark.parametrize(("solver", "make_scheduler"), [("euler", make_euler), ("dpm++", make_dpm)])
@pytest.mark.parametrize("shift", [1.0, SHIFT])
@pytest.mark.parametrize("steps", [1, 2, 3, 9])
def test_a_whole_run_equals_diffusers(
    solver: str, make_scheduler: Callable[..., Any], shift: float, steps: int
) -> None:
    ours = list(sample(denoise_smoothly, CLIP, steps, solver, shift))
    theirs = list(run_scheduler(make_scheduler(steps, shift), CLIP))
    assert len(ours) == len(theirs) == steps
    assert torch.allclose(ours[-1], theirs[-1], atol=1e-4)


def test_the_default_run_is_dpm_with_the_models_shift() -> None:
    assert torch.equal(
        list(sample(denoise_smoothly, CLIP, 4))[-1], list(sample(denoise_smoothly, CLIP, 4, "dpm++", SHIFT))[-1]
    )
    assert compute_sigmas(4) == compute_sigmas(4, SHIFT)
    assert compute_sigmas(2)[1] == pytest.approx(5 / 6)  # half of the steps go to t below a sixth


def test_one_step_of_each_solver_equals_the_schedulers() -> None:
    """In the middle of a run, where DPM-Solver++ goes by two predictions, with levels unevenly far apart."""
    for make_scheduler in (make_euler, make_dpm):
        scheduler = make_scheduler(6, SHIFT)
        sigmas = [float(sigma) for sigma in scheduler.sigmas]
        states = [CLIP, *run_scheduler(scheduler, CLIP)]
        for step in range(6):
            clean = denoise_smoothly(states[step], 1 - sigmas[step])
            if make_scheduler is make_euler:
                made = step_euler(states[step], clean, sigmas[step], sigmas[step + 1])
            else:
                earlier = denoise_smoothly(states[step - 1], 1 - sigmas[step - 1]) if step else None
                made = step_dpm(
                    states[step], clean, earlier, (sigmas[max(step - 1, 0)], sigmas[step], sigmas[step + 1])
                )
            assert torch.allclose(made, states[step + 1], atol=1e-4), step


def test_dpm_without_an_earlier_prediction_takes_the_step_of_first_order() -> None:
    made = step_dpm(CLIP, CLIP + 1, None, (0.9, 0.6, 0.3))
    h = math.log(0.7 / 0.3) - math.log(0.4 / 0.6)
    assert torch.allclose(made, 0.5 * CLIP - 0.7 * math.expm1(-h) * (CLIP + 1), atol=1e-5)


def test_the_step_from_pure_noise_is_exact() -> None:
    """There alpha is 0 and h infinite: nothing of that may be left in the result, in double precision neither."""
    clip = CLIP.double()
    assert torch.equal(step_dpm(clip, clip + 1, None, (1.0, 1.0, 0.75)), 0.75 * clip + 0.25 * (clip + 1))


def test_samplers_reach_the_clip_that_a_perfect_denoiser_knows() -> None:
    target = CLIP.clamp(-1, 1)
    for solver in ("dpm++", "euler"):
        steps = list(sample(lambda z, t: target, torch.randn_like(CLIP), 5, solver))
        assert len(steps) == 5
        assert torch.allclose(steps[-1], target, atol=1e-5)


def test_the_denoiser_is_told_times_from_0_on_and_known_frames_hold_all_the_way() -> None:
    told: list[tuple[float, Tensor]] = []

    def denoise(z: Tensor, t: float) -> Tensor:
        told.append((t, z))
        return denoise_smoothly(z, t)

    given = torch.full_like(CLIP, 0.75)
    for solver in ("dpm++", "euler"):
        told.clear()
        made = list(sample(denoise, CLIP, 4, solver, SHIFT, given, KNOWN))
        assert [t for t, _ in told] == pytest.approx([1 - sigma for sigma in compute_sigmas(4)[:-1]])
        for clip in (*made, *(z for _, z in told)):
            assert torch.equal(clip[0, :, 0], given[0, :, 0]) and torch.equal(clip[1, :, 2:], given[1, :, 2:])
            assert not torch.equal(clip[0, :, 1], given[0, :, 1])


def test_frames_or_marks_alone_hold_nothing() -> None:
    plain = list(sample(denoise_smoothly, CLIP, 2))[-1]
    assert torch.equal(list(sample(denoise_smoothly, CLIP, 2, given=torch.zeros_like(CLIP)))[-1], plain)
    assert torch.equal(list(sample(denoise_smoothly, CLIP, 2, known=KNOWN))[-1], plain)


@pytest.mark.parametrize(("options", "words"), [({"solver": "heun"}, "solver is 'heun'"), ({"steps": 0}, "steps is 0")])
def test_an_unknown_solver_and_no_steps_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next(sample(denoise_smoothly, CLIP, **{"steps": 3} | options))


def test_a_seed_fixes_all_and_known_frames_are_kept() -> None:
    model, wanted = make_network(), make_condition()
    known = torch.tensor([[True, True, False, False]] * 2)

    def run(seed: int) -> Tensor:
        noise = torch.randn(CLIP.shape, generator=torch.Generator().manual_seed(seed))

        def denoise(z: Tensor, t: float) -> Tensor:
            return predict(model, z, t, wanted, make_empty_condition(), Guidance(), known)

        return list(sample(denoise, noise, 3, given=CLIP, known=known))[-1]

    assert torch.equal(run(3), run(3))
    assert not torch.equal(run(3), run(4))
    assert torch.equal(run(3)[:, :, :2], CLIP[:, :, :2])
