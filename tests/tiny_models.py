"""Tiny random checkpoints in the true formats, made by the libraries' own `save_pretrained`, for the local Hub.

    files = tiny("vits")      # {"config.json": b"...", "model.safetensors": b"...", ...}

Their sound and pictures mean nothing; their files are what a real repository holds.
"""

from __future__ import annotations

import io
import json
import string
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.backends.library import import_library

WORDS = (
    *("the", "a", "and", "of", "in", "sea", "harbour", "boat", "morning", "light"),
    *("music", "slow", "fast", "bright", "dark", "hello", "good"),
)


def _folder_files(save: Callable[[Path], None]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


@lru_cache(maxsize=32)
def _built(kind: str) -> dict[str, bytes]:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        return MAKERS[kind]()


def tiny(kind: str) -> dict[str, bytes]:
    """Path to content of a repository of this kind."""
    return dict(_built(kind))


def _vits(speakers: int = 1) -> dict[str, bytes]:
    tf = import_library("transformers")
    letters = ["<pad>", " ", *string.ascii_lowercase, "'", "-"]
    config = tf.VitsConfig(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        duration_predictor_filter_channels=8,
        duration_predictor_num_flows=1,
        prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        depth_separable_num_layers=1,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        num_speakers=speakers,
        speaker_embedding_size=4 if speakers > 1 else 0,
        sampling_rate=16_000,
        speaking_rate=0.05,  # random weights give each letter one frame: make that a sound of some length
    )

    def save(folder: Path) -> None:
        (folder / "vocab.json").write_text(json.dumps({letter: at for at, letter in enumerate(letters)}))
        tokenizer = tf.VitsTokenizer(str(folder / "vocab.json"), language="eng", phonemize=False, is_uroman=False)
        tokenizer.save_pretrained(folder)
        tf.VitsModel(config).save_pretrained(folder)

    return _folder_files(save)


def _spm_characters() -> bytes:
    import sentencepiece

    model = io.BytesIO()
    text = iter([" ".join(WORDS), string.ascii_letters, string.digits, ".,!?'-"] * 20)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=text, model_writer=model, model_type="char", vocab_size=75, hard_vocab_limit=False,
        bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=5,
    )  # fmt: skip
    return model.getvalue()


def _speecht5() -> dict[str, bytes]:
    tf = import_library("transformers")
    spm = _spm_characters()

    def save(folder: Path) -> None:
        (folder / "spm_char.model").write_bytes(spm)
        tokenizer = tf.SpeechT5Tokenizer(str(folder / "spm_char.model"))
        tokenizer.save_pretrained(folder)
        config = tf.SpeechT5Config(
            vocab_size=len(tokenizer) + 4,
            hidden_size=16,
            encoder_layers=1,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            speech_decoder_prenet_units=8,
            speech_decoder_postnet_units=8,
            speech_decoder_postnet_layers=2,
            speaker_embedding_dim=8,
            positional_dropout=0.0,
            max_text_positions=300,
            max_speech_positions=2000,
        )
        tf.SpeechT5ForTextToSpeech(config).save_pretrained(folder)

    return _folder_files(save)


def _speecht5_vocoder() -> dict[str, bytes]:
    tf = import_library("transformers")
    config = tf.SpeechT5HifiGanConfig(
        upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], normalize_before=False
    )
    return _folder_files(lambda folder: tf.SpeechT5HifiGan(config).save_pretrained(folder))


def _speecht5_vc() -> dict[str, bytes]:
    tf = import_library("transformers")
    config = tf.SpeechT5Config(
        vocab_size=40,
        hidden_size=16,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        speech_decoder_prenet_units=8,
        speech_decoder_postnet_units=8,
        speech_decoder_postnet_layers=2,
        speaker_embedding_dim=8,
        positional_dropout=0.0,
        max_speech_positions=2000,
    )

    def save(folder: Path) -> None:
        tf.SpeechT5FeatureExtractor().save_pretrained(folder)
        tf.SpeechT5ForSpeechToSpeech(config).save_pretrained(folder)

    return _folder_files(save)


def _word_tokenizer(cls: Any, **special: str) -> Any:
    """A fast tokenizer of whole words in the class that the pipelines expect."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    pieces = ["<pad>", "</s>", "<unk>", *WORDS]
    words = Tokenizer(WordLevel({piece: at for at, piece in enumerate(pieces)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"} | special
    return cls(tokenizer_object=words, model_max_length=24, **names)


def _t5(width: int = 32) -> tuple[Any, Any]:
    """A text encoder and its tokenizer."""
    tf = import_library("transformers")
    config = tf.T5Config(
        vocab_size=64, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return tf.T5EncoderModel(config), _word_tokenizer(tf.PreTrainedTokenizerFast)


def _tiny_codec() -> Any:
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


def _tiny_musicgen(kind: str, channels: int = 1, **more: Any) -> Any:
    """A model of MusicGen's kind with random weights."""
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
    config = getattr(tf, f"{kind}Config")(text_encoder=text, audio_encoder=_tiny_codec(), decoder=decoder, **more)
    model = getattr(tf, f"{kind}ForConditionalGeneration")(config)
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # else all codes would sound alike
    model.generation_config = tf.GenerationConfig(
        decoder_start_token_id=32, pad_token_id=32, bos_token_id=32, do_sample=True, guidance_scale=3.0, max_length=2000
    )
    return model


def _musicgen(channels: int = 1) -> dict[str, bytes]:
    tf = import_library("transformers")
    _, tokenizer = _t5()
    model = _tiny_musicgen("Musicgen", channels)

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        extractor = tf.EncodecFeatureExtractor(feature_size=1, sampling_rate=3_200)
        tf.MusicgenProcessor(extractor, tokenizer).save_pretrained(folder)

    return _folder_files(save)


def _musicgen_melody() -> dict[str, bytes]:
    tf = import_library("transformers")
    _, tokenizer = _t5()
    model = _tiny_musicgen("MusicgenMelody", num_chroma=12, chroma_length=20)
    for name, weight in model.named_parameters():
        if weight.ndim > 1 and not name.startswith("audio_encoder"):
            weight.data.mul_(15)  # else neither words nor melody would tell

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        extractor = tf.MusicgenMelodyFeatureExtractor(sampling_rate=3_200, hop_length=256, n_fft=1024)
        tf.MusicgenMelodyProcessor(extractor, tokenizer).save_pretrained(folder)

    return _folder_files(save)


def _stable_audio() -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = _t5()
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
    return _folder_files(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def _wan() -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = _t5()
    pipeline = d.WanPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        transformer=d.WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16, out_channels=16,
            text_dim=32, freq_dim=16, ffn_dim=16, num_layers=1, rope_max_seq_len=64,
        ),
        vae=d.AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=7.0),
    )  # fmt: skip
    return _folder_files(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def _ltx(pipeline_class: str = "LTXPipeline") -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = _t5()
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
            in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=8, cross_attention_dim=16,
            num_layers=1, caption_channels=32,
        ),
    )  # fmt: skip
    return _folder_files(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def _cogvideox(pipeline_class: str = "CogVideoXPipeline") -> dict[str, bytes]:
    d = import_library("diffusers")
    text_encoder, tokenizer = _t5()
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
    return _folder_files(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def _animatediff() -> dict[str, bytes]:
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
        tokenizer=_word_tokenizer(tf.PreTrainedTokenizerFast),
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
    return _folder_files(lambda folder: pipeline.save_pretrained(folder, safe_serialization=True))


def _vgg(architecture: str) -> dict[str, bytes]:
    from safetensors.torch import save as to_bytes

    from models.style.vgg import Vgg

    state = Vgg(architecture, (4, 6, 8, 8)).state_dict()
    config = {"architecture": architecture, "num_classes": 1000}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": to_bytes(state)}


MAKERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "vits": _vits,
    "vits-speakers": lambda: _vits(3),
    "speecht5": _speecht5,
    "speecht5-vocoder": _speecht5_vocoder,
    "speecht5-vc": _speecht5_vc,
    "musicgen": _musicgen,
    "musicgen-melody": _musicgen_melody,
    "musicgen-stereo": lambda: _musicgen(2),
    "stable-audio": _stable_audio,
    "wan": _wan,
    "ltx": _ltx,
    "ltx-image": lambda: _ltx("LTXImageToVideoPipeline"),
    "cogvideox": _cogvideox,
    "cogvideox-image": lambda: _cogvideox("CogVideoXImageToVideoPipeline"),
    "animatediff": _animatediff,
    "vgg19": lambda: _vgg("vgg19"),
    "vgg16": lambda: _vgg("vgg16"),
}
