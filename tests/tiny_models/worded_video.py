"""Tiny video models whose prompts are read by a language model: Gemma or Qwen."""

from __future__ import annotations

import json
from typing import Any

from models.backends.library import import_library
from tests.tiny_models.parts import make_word_tokenizer, read_pipeline
from tests.tiny_models.video import WAN_CODER

CHAT = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
NARROW: dict[str, Any] = {"vocab_size": 64, "intermediate_size": 16, "num_attention_heads": 2}
GEMMA: dict[str, Any] = NARROW | {
    "hidden_size": 16,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
}
QWEN: dict[str, Any] = NARROW | {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
}


def make_sana(pipeline_class: str = "SanaVideoPipeline", sample_size: int = 30) -> dict[str, bytes]:
    d, tf = import_library("diffusers"), import_library("transformers")
    pipeline = getattr(d, pipeline_class)(
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        text_encoder=tf.Gemma2Model(tf.Gemma2Config(**GEMMA, num_hidden_layers=1)),
        vae=d.AutoencoderKLWan(**WAN_CODER, z_dim=16),
        transformer=d.SanaVideoTransformer3DModel(
            in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=12, num_layers=1,
            num_cross_attention_heads=2, cross_attention_head_dim=12, cross_attention_dim=24, caption_channels=16,
            mlp_ratio=2.0, sample_size=sample_size, rope_max_seq_len=64,
        ),
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=7.0),
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_hunyuan_15() -> dict[str, bytes]:
    """Make the kind of HunyuanVideo 1.5: words in quotes go through an encoder of bytes, guidance is a part."""
    d, tf = import_library("diffusers"), import_library("transformers")
    tokenizer = make_word_tokenizer(tf.PreTrainedTokenizerFast)
    tokenizer.chat_template = CHAT
    glyphs = tf.T5Config(vocab_size=384, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    pipeline = d.HunyuanVideo15Pipeline(
        text_encoder=tf.Qwen2_5_VLTextModel(tf.Qwen2_5_VLTextConfig(**QWEN)),
        tokenizer=tokenizer,
        transformer=d.HunyuanVideo15Transformer3DModel(
            in_channels=9, out_channels=4, num_attention_heads=2, attention_head_dim=8, num_layers=1,
            num_refiner_layers=1, mlp_ratio=2.0, text_embed_dim=16, text_embed_2_dim=16, image_embed_dim=12,
            rope_axes_dim=(2, 2, 4), target_size=640, task_type="t2v",
        ),
        vae=d.AutoencoderKLHunyuanVideo15(latent_channels=4, block_out_channels=(8,) * 5, layers_per_block=1),
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=5.0),
        text_encoder_2=tf.T5EncoderModel(glyphs),
        tokenizer_2=tf.ByT5Tokenizer(),
        guider=d.ClassifierFreeGuidance(guidance_scale=6.0),
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_kandinsky(pipeline_class: str = "Kandinsky5T2VPipeline") -> dict[str, bytes]:
    """Make the kind of Kandinsky 5; its repositories name a processor where only words are read."""
    d, tf = import_library("diffusers"), import_library("transformers")
    clip = tf.CLIPTextConfig(
        **NARROW, hidden_size=8, num_hidden_layers=1, max_position_embeddings=77, pad_token_id=0, bos_token_id=0,
        eos_token_id=1,
    )  # fmt: skip
    sight = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16,
        "fullatt_block_indexes": [0],
    }  # fmt: skip
    pipeline = getattr(d, pipeline_class)(
        transformer=d.Kandinsky5Transformer3DModel(
            in_visual_dim=4, out_visual_dim=4, in_text_dim=16, in_text_dim2=8, time_dim=16, model_dim=24, ff_dim=24,
            num_text_blocks=1, num_visual_blocks=1, axes_dims=(4, 4, 4), visual_cond="I2V" in pipeline_class,
        ),
        vae=d.AutoencoderKLHunyuanVideo(
            latent_channels=4, block_out_channels=(8,) * 4, layers_per_block=1, norm_num_groups=2
        ),
        text_encoder=tf.Qwen2_5_VLForConditionalGeneration(
            tf.Qwen2_5_VLConfig(text_config=dict(QWEN), vision_config=sight)
        ),
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        text_encoder_2=tf.CLIPTextModel(clip),
        tokenizer_2=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=5.0),
    )  # fmt: skip
    files = read_pipeline(pipeline)
    index = json.loads(files["model_index.json"]) | {"tokenizer": ["transformers", "Qwen2VLProcessor"]}
    return files | {"model_index.json": json.dumps(index).encode()}


def make_ltx_2() -> dict[str, bytes]:
    """Make the kind of LTX-2: frames and their sound are drawn together; a vocoder makes the sound heard."""
    d, tf = import_library("diffusers"), import_library("transformers")
    gemma = tf.Gemma3Config(
        text_config=GEMMA | {"num_hidden_layers": 2, "sliding_window": 32},
        vision_config=NARROW | {"hidden_size": 8, "num_hidden_layers": 1, "image_size": 14, "patch_size": 14},
        mm_tokens_per_image=1, image_token_index=5, boi_token_index=6, eoi_token_index=7,
    )  # fmt: skip
    connector = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 1, "num_learnable_registers": None}
    pipeline = d.LTX2Pipeline(
        scheduler=d.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.1),
        vae=d.AutoencoderKLLTX2Video(
            latent_channels=4, block_out_channels=(4, 8, 16, 32), decoder_block_out_channels=(8, 16, 32),
            layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 4, spatial_compression_ratio=32,
            temporal_compression_ratio=8,
        ),
        audio_vae=d.AutoencoderKLLTX2Audio(
            base_channels=4, ch_mult=(1, 1, 1), num_res_blocks=1, resolution=32, latent_channels=2, mel_bins=8
        ),
        text_encoder=tf.Gemma3ForConditionalGeneration(gemma),
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        connectors=d.pipelines.ltx2.LTX2TextConnectors(
            caption_channels=16, text_proj_in_factor=3, connector_rope_base_seq_len=32,
            **{f"{each}_connector_{name}": value for each in ("video", "audio") for name, value in connector.items()},
        ),
        transformer=d.LTX2VideoTransformer3DModel(
            in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=8, cross_attention_dim=16,
            audio_in_channels=4, audio_out_channels=4, audio_num_attention_heads=2, audio_attention_head_dim=4,
            audio_cross_attention_dim=8, num_layers=1, caption_channels=16,
        ),
        vocoder=d.pipelines.ltx2.LTX2Vocoder(
            in_channels=16, hidden_channels=32, resnet_kernel_sizes=[3], resnet_dilations=[[1, 3, 5]]
        ),
    )  # fmt: skip
    return read_pipeline(pipeline)
