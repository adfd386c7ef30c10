"""Tiny video models, and VGG for neural style."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Any

import torch

from models.backends.library import import_library
from tests.tiny_models.parts import make_t5, make_word_tokenizer, read_folder, read_pipeline

WAN_TRANSFORMER: dict[str, Any] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 32,
    "ffn_dim": 16,
    "num_layers": 1,
    "rope_max_seq_len": 64,
}
WAN_CODER: dict[str, Any] = {
    "base_dim": 3,
    "dim_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "temperal_downsample": [False, True, True],
}


def assemble_wan(kind: str, transformer: str, scheduler: Any = None, **differing: Any) -> Any:
    """Return a pipeline of the family of Wan.

    Args:
        kind: class of the pipeline.
        transformer: class of its denoiser.
        differing: what the denoiser is told beside what the whole family has.
    """
    d = import_library("diffusers")
    text_encoder, tokenizer = make_t5()
    told = WAN_TRANSFORMER | {"freq_dim": 16, "in_channels": 16, "out_channels": 16} | differing
    return getattr(d, kind)(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        transformer=getattr(d, transformer)(**told),
        vae=d.AutoencoderKLWan(**WAN_CODER, z_dim=16),
        scheduler=scheduler or d.FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


def make_wan() -> dict[str, bytes]:
    return read_pipeline(assemble_wan("WanPipeline", "WanTransformer3DModel"))


def make_wan_ti2v() -> dict[str, bytes]:
    """Make the kind of Wan 2.2 TI2V: its coder packs 16 x 16 pixels, and every frame has a step of its own."""
    d = import_library("diffusers")
    text_encoder, tokenizer = make_t5()
    pipeline = d.WanPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        transformer=d.WanTransformer3DModel(**WAN_TRANSFORMER, freq_dim=16, in_channels=48, out_channels=48),
        vae=d.AutoencoderKLWan(
            **WAN_CODER, z_dim=48, in_channels=12, out_channels=12, is_residual=True, patch_size=2,
            scale_factor_spatial=16, scale_factor_temporal=4, latents_mean=[0.0] * 48, latents_std=[1.0] * 48,
        ),
        scheduler=d.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=5.0
        ),
        expand_timesteps=True,
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_wan_vace() -> dict[str, bytes]:
    pipeline = assemble_wan("WanVACEPipeline", "WanVACETransformer3DModel", vace_layers=[0], vace_in_channels=96)
    with torch.no_grad():  # so that a picture is seen in the clip by more than a rounding
        for name, weight in pipeline.transformer.named_parameters():
            if "vace" in name:
                weight.mul_(6.0)
    return read_pipeline(pipeline)


def make_skyreels() -> dict[str, bytes]:
    scheduler = import_library("diffusers").UniPCMultistepScheduler(flow_shift=8.0, use_flow_sigmas=True)
    return read_pipeline(assemble_wan("SkyReelsV2Pipeline", "SkyReelsV2Transformer3DModel", scheduler, freq_dim=256))


def make_ltx(pipeline_class: str = "LTXPipeline", head: int = 8) -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = make_t5()
    pipeline = getattr(d, pipeline_class)(
        scheduler=d.FlowMatchEulerDiscreteScheduler(),
        vae=d.AutoencoderKLLTXVideo(
            latent_channels=8, block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8),
            spatio_temporal_scaling=(True, True, False, False),
            decoder_spatio_temporal_scaling=(True, True, False, False),
            layers_per_block=(1, 1, 1, 1, 1), decoder_layers_per_block=(1, 1, 1, 1, 1),
            patch_size=1, patch_size_t=1, encoder_causal=True, decoder_causal=False,
        ),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        transformer=d.LTXVideoTransformer3DModel(
            in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=head,
            cross_attention_dim=2 * head, num_layers=1, caption_channels=32,
        ),
    )  # fmt: skip
    return read_pipeline(pipeline)


LTX_NAMES = (("proj_in", "patchify_proj"), ("time_embed", "adaln_single"), ("norm_q", "q_norm"), ("norm_k", "k_norm"))


def make_ltx_quantised(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return a repository with the denoiser of an LTX pipeline in blocks of eight bits, named as its makers name it."""
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize
    from safetensors.numpy import load as from_bytes

    weights = from_bytes(files["transformer/diffusion_pytorch_model.safetensors"])

    def save(folder: Path) -> None:
        writer = GGUFWriter(folder / "tiny-Q8_0.gguf", "ltxv")
        for name, values in weights.items():
            blocks = values.ndim == 2 and "transformer_blocks" in name and name.endswith(".weight")
            kind = GGMLQuantizationType.Q8_0 if blocks else GGMLQuantizationType.F32
            known = reduce(lambda told, pair: told.replace(*pair), LTX_NAMES, name)
            writer.add_tensor(known, quantize(values, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    return read_folder(save)


def make_cogvideox(pipeline_class: str = "CogVideoXPipeline") -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = make_t5()
    takes_picture = "Image" in pipeline_class
    pipeline = getattr(d, pipeline_class)(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        vae=d.AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2,
            temporal_compression_ratio=4,
        ),
        transformer=d.CogVideoXTransformer3DModel(
            num_attention_heads=2, attention_head_dim=16, in_channels=8 if takes_picture else 4, out_channels=4,
            time_embed_dim=2, text_embed_dim=32, num_layers=1, max_text_seq_length=24,
            use_rotary_positional_embeddings=True,
        ),
        scheduler=d.CogVideoXDDIMScheduler(),
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_animatediff() -> dict[str, bytes]:
    d, tf = import_library("diffusers"), import_library("transformers")
    text = tf.CLIPTextConfig(
        vocab_size=64, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=24, pad_token_id=0, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    pipeline = d.AnimateDiffPipeline(
        vae=d.AutoencoderKL(
            block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=2,
        ),
        text_encoder=tf.CLIPTextModel(text),
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        unet=d.UNet2DConditionModel(
            block_out_channels=(8, 8), layers_per_block=1, sample_size=8, norm_num_groups=2, cross_attention_dim=8,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        motion_adapter=d.MotionAdapter(
            block_out_channels=(8, 8), motion_layers_per_block=1, motion_norm_num_groups=2,
            motion_num_attention_heads=2,
        ),
        scheduler=d.DDIMScheduler(beta_schedule="linear", clip_sample=False),
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_vgg(architecture: str) -> dict[str, bytes]:
    from safetensors.torch import save as to_bytes

    from models.style.vgg import Vgg

    state = Vgg(architecture, (4, 6, 8, 8)).state_dict()
    config = {"architecture": architecture, "num_classes": 1000}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": to_bytes(state)}
