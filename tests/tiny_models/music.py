"""Tiny music models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.backends.library import import_library
from tests.tiny_models.parts import make_t5, make_word_tokenizer, read_folder, read_pipeline


def make_codec_config() -> Any:
    """EnCodec at 3,200 samples and 50 frames a second."""
    return import_library("transformers").EncodecConfig(
        sampling_rate=3_200,
        audio_channels=1,
        num_filters=4,
        hidden_size=8,
        codebook_size=32,
        codebook_dim=8,
        upsampling_ratios=[8, 8],
        num_lstm_layers=1,
        use_causal_conv=False,
        normalize=False,
        target_bandwidths=[2.0],
        chunk_length_s=None,
    )


def make_musicgen_model(kind: str, channels: int = 1, **more: Any) -> Any:
    """Return a model of MusicGen's kind with random weights."""
    tf = import_library("transformers")
    decoder = getattr(tf, f"{kind}DecoderConfig")(
        vocab_size=32,
        hidden_size=16,
        num_hidden_layers=1,
        ffn_dim=16,
        num_attention_heads=2,
        num_codebooks=4 * channels,
        audio_channels=channels,
        pad_token_id=32,
        bos_token_id=32,
        max_position_embeddings=2048,
    )
    text = tf.T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    config = getattr(tf, f"{kind}Config")(text_encoder=text, audio_encoder=make_codec_config(), decoder=decoder, **more)
    model = getattr(tf, f"{kind}ForConditionalGeneration")(config)
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # else all codes would sound alike
    model.generation_config = tf.GenerationConfig(
        decoder_start_token_id=32, pad_token_id=32, bos_token_id=32, do_sample=True, guidance_scale=3.0, max_length=2000
    )
    return model


def make_musicgen(channels: int = 1) -> dict[str, bytes]:
    tf = import_library("transformers")
    _, tokenizer = make_t5()
    model = make_musicgen_model("Musicgen", channels)

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        extractor = tf.EncodecFeatureExtractor(feature_size=1, sampling_rate=3_200)
        tf.MusicgenProcessor(extractor, tokenizer).save_pretrained(folder)

    return read_folder(save)


def make_musicgen_melody() -> dict[str, bytes]:
    tf = import_library("transformers")
    _, tokenizer = make_t5()
    model = make_musicgen_model("MusicgenMelody", num_chroma=12, chroma_length=20)
    for name, weight in model.named_parameters():
        if weight.ndim > 1 and not name.startswith("audio_encoder"):
            weight.data.mul_(15)  # else neither words nor melody would tell

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        extractor = tf.MusicgenMelodyFeatureExtractor(sampling_rate=3_200, hop_length=256, n_fft=1024)
        tf.MusicgenMelodyProcessor(extractor, tokenizer).save_pretrained(folder)

    return read_folder(save)


def make_stable_audio() -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = make_t5()
    pipeline = d.StableAudioPipeline(
        vae=d.AutoencoderOobleck(
            encoder_hidden_size=6, downsampling_ratios=[4, 8], decoder_channels=4, decoder_input_channels=4,
            audio_channels=2, channel_multiples=[1, 2], sampling_rate=3_200,
        ),
        text_encoder=text_encoder,
        projection_model=d.StableAudioProjectionModel(
            text_encoder_dim=32, conditioning_dim=8, min_value=0, max_value=32
        ),
        tokenizer=tokenizer,
        transformer=d.StableAudioDiTModel(
            sample_size=800, in_channels=4, num_layers=1, attention_head_dim=4, num_attention_heads=2,
            num_key_value_attention_heads=2, out_channels=4, cross_attention_dim=8, time_proj_dim=8,
            global_states_input_dim=16, cross_attention_input_dim=8,
        ),
        scheduler=d.CosineDPMSolverMultistepScheduler(solver_order=2, sigma_schedule="exponential"),
    )  # fmt: skip
    return read_pipeline(pipeline)


def make_stable_audio_3(is_short: bool = True) -> dict[str, bytes]:
    """Make the kind of Stable Audio 3: T5Gemma reads, the length is embedded, a coder of patches and transformers."""
    d, tf = import_library("diffusers"), import_library("transformers")
    reader = tf.T5GemmaModuleConfig(
        vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=8,
    )  # fmt: skip
    pipeline = d.StableAudio3Pipeline(
        vae=d.AutoencoderSAME(
            patch_size=16, encoder_channels=8, encoder_c_mults=[2], encoder_strides=[2], encoder_transformer_depths=[1],
            latent_dim=4, dim_heads=8, ff_mult=1, sampling_rate=3_200,
        ),
        text_encoder=tf.T5GemmaEncoderModel(tf.T5GemmaConfig(encoder=reader, decoder=reader, is_encoder_decoder=False)),
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        duration_embedder=d.StableAudio3DurationEmbedder(output_dim=16, fourier_dim=8, max_val=120.0),
        transformer=d.StableAudio3DiTModel(
            io_channels=4, embed_dim=16, depth=1, num_heads=2, cond_token_dim=16, global_cond_dim=16,
            local_add_cond_dim=5, timestep_features_dim=8, ff_mult=1.0, num_memory_tokens=2,
        ),
        scheduler=d.FlowMatchEulerDiscreteScheduler(stochastic_sampling=is_short),
    )  # fmt: skip
    for part in (pipeline.vae, pipeline.transformer):
        for weight in part.parameters():
            if weight.ndim > 1 and not weight.any():  # layers begin as nothing, and all noise would sound the same
                weight.data.normal_()
    return read_pipeline(pipeline)


def make_ace_step() -> dict[str, bytes]:
    """Make the kind of ACE-Step 1.5: text and lyrics by one small language model, a diffusion transformer, Oobleck."""
    d, tf = import_library("diffusers"), import_library("transformers")
    text = tf.Qwen3Config(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
    )
    pipeline = d.AceStepPipeline(
        vae=d.AutoencoderOobleck(
            encoder_hidden_size=6, downsampling_ratios=[4, 8], decoder_channels=4, decoder_input_channels=8,
            audio_channels=2, channel_multiples=[1, 2], sampling_rate=3_200,
        ),
        text_encoder=tf.Qwen3Model(text),
        tokenizer=make_word_tokenizer(tf.PreTrainedTokenizerFast),
        transformer=d.AceStepTransformer1DModel(
            hidden_size=32, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
            head_dim=16, in_channels=24, audio_acoustic_hidden_dim=8, sliding_window=16, is_turbo=True,
        ),
        condition_encoder=d.pipelines.ace_step.AceStepConditionEncoder(
            hidden_size=32, intermediate_size=16, text_hidden_dim=32, timbre_hidden_dim=8,
            num_lyric_encoder_hidden_layers=1, num_timbre_encoder_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, head_dim=16, sliding_window=16,
        ),
        scheduler=d.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    )  # fmt: skip
    return read_pipeline(pipeline)
