"""Tiny speech models."""

from __future__ import annotations

import io
import json
import string
from pathlib import Path

from models.backends.library import import_library
from tests.tiny_models.parts import WORDS, read_folder


def make_vits(speakers: int = 1) -> dict[str, bytes]:
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

    return read_folder(save)


def train_character_model() -> bytes:
    import sentencepiece

    model = io.BytesIO()
    text = iter([" ".join(WORDS), string.ascii_letters, string.digits, ".,!?'-"] * 20)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=text, model_writer=model, model_type="char", vocab_size=75, hard_vocab_limit=False,
        bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=5,
    )  # fmt: skip
    return model.getvalue()


def make_speecht5() -> dict[str, bytes]:
    tf = import_library("transformers")
    spm = train_character_model()

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

    return read_folder(save)


def make_speecht5_vocoder() -> dict[str, bytes]:
    tf = import_library("transformers")
    config = tf.SpeechT5HifiGanConfig(
        upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], normalize_before=False
    )
    return read_folder(lambda folder: tf.SpeechT5HifiGan(config).save_pretrained(folder))


def make_speecht5_vc() -> dict[str, bytes]:
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

    return read_folder(save)
