"""`POST /v1/audio/speech`, as speech front ends know it from OpenAI: sound that streams while it is made.

    {"model": "tts-1", "input": "Good morning!", "voice": "heart", "response_format": "mp3", "speed": 1.0}

`model` is a key of the catalogue; OpenAI's own names stand for the first model. `voice` is one of the model's; OpenAI's
own names stand for its voices in order. `stream_format` "sse" sends events with base64 instead of plain bytes. With the
header `X-Auralume-Keep: yes` the result goes into the caller's library, too.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import math
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from models.contracts import MAX_SEED, SpeechRequest, Task
from models.errors import ModelError
from models.registry.registry import Registry
from studio.io import audio_files
from studio.io.recipes import Recipe, Setting
from studio.io.request_body import read_body
from studio.library.owners import owner_of
from studio.page import jobs, model_card
from studio.page.calls import is_to_be_kept
from studio.page.keeping import KEPT_BY
from studio.speech.openai_keeping import MARK, KeptSpeech

MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
CREATED = 1_764_374_400  # when these models were first shipped, seconds since 1970
NO_INSTRUCTIONS = "instructions are followed by none of these models; leave them out, and choose a voice and a speed."
SPEEDS = (0.25, 4.0)  # OpenAI's
MODEL_SPEEDS = (0.5, 2.0)  # ours; beyond them the finished sound is stretched
WHOLE_CHARACTERS = 600  # a shorter text comes as a whole file where a format tells its length
MOST_REQUESTS = 8
MAX_BODY_BYTES = 256 * 1024
PCM_RATE = 24_000
BLOCK_BYTES = 16 * 1024
UNREAD_S = 600.0  # a listener who takes nothing for so long has gone
FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {  # media type, ffmpeg's options
    "mp3": ("audio/mpeg", ("-b:a", "128k", *MARK, "-f", "mp3")),
    "opus": ("audio/ogg", ("-c:a", "libopus", "-ar", "48000", *MARK, "-f", "ogg")),
    "aac": ("audio/aac", ("-c:a", "aac", "-f", "adts")),
    "flac": ("audio/flac", (*MARK, "-f", "flac")),
    "pcm": ("audio/pcm", ("-ar", str(PCM_RATE), "-f", "s16le")),
    "wav": ("audio/wav", ()),
}
STATUS = {  # clients try again what begins with 5, so what asking again does not mend begins with 4
    "busy": 503, "network": 503, "server": 502, "quota": 429, "rate-limit": 429,
    "unknown-model": 404, "offline": 404, "not-found": 404, "revision": 404, "gated": 403, "forbidden": 403,
    "gpu": 422, "memory": 422, "format": 422, "unsafe": 422,
    "weights": 422, "loader": 422,
}  # fmt: skip


def routes(registry: Registry) -> list[Route]:
    """Return what to give to the server."""
    answers = SpeechAnswers(registry)
    return [
        Route("/v1/audio/speech", answers.speech, methods=["POST"]),
        Route("/v1/models", answers.models, methods=["GET"]),
        Route("/v1/models/{name:path}", answers.model, methods=["GET"]),
        Route("/v1/audio/voices", answers.voices, methods=["GET"]),
    ]


@dataclass
class SoundLength:
    """How much sound has been made, before it is stretched."""

    seconds: float = 0.0


class SpeechAnswers:
    """The answers over a registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        # Threads of their own, so that long requests hold up no other route; those that wait hold up none that speak.
        self._waiting = ThreadPoolExecutor(MOST_REQUESTS, "auralume-speech-wait")
        self._making = ThreadPoolExecutor(MOST_REQUESTS, "auralume-speech")

    async def models(self, _request: Request) -> Response:
        """List the speech models and their voices: those of the catalogue, or those that a loaded model knows."""
        rows = [self._row(spec.key) for spec in self.registry.specs(Task.SPEECH)]
        return JSONResponse({"object": "list", "data": rows})

    async def model(self, request: Request) -> Response:
        """Describe one model, by its key or by one of OpenAI's names for the first."""
        name = str(request.path_params["name"])
        try:
            return JSONResponse(self._row(self._key(name)) | {"id": name})
        except ModelError as error:
            return _refusal(error)

    async def voices(self, request: Request) -> Response:
        """List the voices of a model, of the first where none is named, as {id, name}."""
        try:
            known = self.registry.voices(self._key(request.query_params.get("model", "")))
        except ModelError as error:
            return _refusal(error)
        return JSONResponse({"voices": [{"id": voice.key, "name": voice.title} for voice in known]})

    def _row(self, key: str) -> dict[str, Any]:
        spec = self.registry.get(key)
        voices = [voice.key for voice in self.registry.voices(key)]
        return {"id": key, "object": "model", "created": CREATED, "owned_by": spec.licence, "voices": voices}

    def _key(self, named: str) -> str:
        """Return the key of a speech model that is named; OpenAI's names, dated ones too, stand for the first."""
        if not named or named.startswith(MODELS):
            return self.registry.require_default(Task.SPEECH).key
        if self.registry.get(named).task != Task.SPEECH:
            raise ModelError(f"{named} does not speak.", "unknown-model")
        return named

    async def speech(self, request: Request) -> Response:
        """Speak; failures before the first sound are answers with a sentence."""
        try:
            wishes = await _wishes(request)
            form = _one_of(wishes, "response_format", "mp3", tuple(FORMATS))
            as_events = _one_of(wishes, "stream_format", "audio", ("audio", "sse")) == "sse"
            speed, seed = _number(wishes, "speed", 1.0, *SPEEDS), _number(wishes, "seed", 0, 0, MAX_SEED)
            text, made = _text(wishes), SoundLength()
            loop = asyncio.get_running_loop()
            kept = self._kept(request)
            asked = wishes, text, speed, int(seed), made, kept
            rate, pieces = await loop.run_in_executor(self._waiting, self._begin, *asked)
            if len(text) <= WHOLE_CHARACTERS and not as_events and form in ("wav", "flac"):
                whole = await loop.run_in_executor(self._making, whole_file, pieces, rate, form)
                return Response(whole, media_type=FORMATS[form][0])
        except Exception as error:
            return _refusal(error)
        sound = wav(pieces, rate) if form == "wav" else encoded(pieces, rate, FORMATS[form][1])
        if as_events:
            return StreamingResponse(aside(events(sound, text, made), self._making), media_type="text/event-stream")
        return StreamingResponse(aside(sound, self._making), media_type=FORMATS[form][0])

    def _kept(self, request: Request) -> KeptSpeech | None:
        """Return what keeps the result, where the caller asks for it and has a library."""
        library = KEPT_BY.get(self.registry)
        if library is None or not is_to_be_kept(request.headers, usually=False):
            return None
        return KeptSpeech(library, owner_of(request.headers))

    def _begin(
        self,
        wishes: dict[str, Any],
        text: str,
        speed: float,
        seed: int,
        made: SoundLength,
        kept: KeptSpeech | None = None,
    ) -> tuple[int, Iterator[bytes]]:
        """Load the model and wait for the first sound: (sample rate, int16 sound piece by piece)."""
        key = self._key(str(wishes.get("model") or ""))
        model = self.registry.load(key)
        own = min(MODEL_SPEEDS[1], max(MODEL_SPEEDS[0], speed))
        request = SpeechRequest(
            text=text,
            voice=self._voice(key, wishes.get("voice")),
            speed=own,
            seed=seed,
        )
        chunks = model.stream(request)
        first = next((chunk for chunk in chunks if chunk.samples.size), None)
        if first is None:
            raise ValueError("nothing in the input could be spoken.")

        def pieces() -> Iterator[bytes]:
            with contextlib.closing(chunks):  # type: ignore[type-var]
                for chunk in chain([first], chunks):
                    made.seconds += chunk.samples.size / chunk.sample_rate
                    yield audio_files.to_int16(chunk.samples).tobytes()

        sound: Iterator[bytes] = pieces()
        if speed != own:
            stretch = ("-af", f"atempo={speed / own:.6f}", "-f", "s16le")  # what the model itself does not do
            sound = encoded(sound, first.sample_rate, stretch)
        if kept is not None:
            settings: dict[str, Setting] = {"text": text, "voice": request.voice, "speed": own}
            recipe = Recipe(Task.SPEECH, key, model_card.revision_of(self.registry, key), seed, settings)
            sound = kept.listen(sound, first.sample_rate, recipe)
        return first.sample_rate, sound

    def _voice(self, key: str, wanted: Any) -> str:
        named = str((wanted.get("id") if isinstance(wanted, dict) else wanted) or "")
        known = [voice.key for voice in self.registry.voices(key)]
        if not named or not known:
            return ""
        if named in known:
            return named
        if named in VOICES:
            return known[VOICES.index(named) % len(known)]
        raise ValueError(f"voice is {named!r}; this model has {', '.join(known)}.")


async def aside(blocks: Iterator[Any], threads: ThreadPoolExecutor | None = None) -> AsyncIterator[Any]:
    """Yield blocks made in threads beside the server's loop; so is the end of work when the listener leaves.

    Work for a listener who takes nothing for UNREAD_S ends, too.
    """
    loop = asyncio.get_running_loop()
    turn = threading.Lock()  # the end waits for the block that is being made

    def following() -> Any:
        with turn:
            return next(blocks, None)

    def end() -> None:
        with turn:
            blocks.close()  # type: ignore[attr-defined]

    def leave() -> None:
        threading.Thread(target=end, name="auralume-speech-end", daemon=True).start()

    try:
        while (block := await loop.run_in_executor(threads, following)) is not None:
            unread = loop.call_later(UNREAD_S, leave)
            try:
                yield block
            finally:
                unread.cancel()
    finally:
        leave()


def whole_file(pieces: Iterator[bytes], rate: int, form: str) -> bytes:
    """Return a WAV or FLAC file that tells its true length."""
    import soundfile

    with contextlib.closing(pieces):  # type: ignore[type-var]
        samples = np.frombuffer(b"".join(pieces), np.int16)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype="PCM_16", format=form.upper())
    return file.getvalue()


def wav(pieces: Iterator[bytes], rate: int) -> Iterator[bytes]:
    """Return a WAV file whose length is not known yet, as streams are written."""
    yield struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        0xFFFFFFFF,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate,
        2 * rate,
        2,
        16,
        b"data",
        0xFFFFFFFF,
    )
    yield from pieces


def encoded(pieces: Iterator[bytes], rate: int, options: tuple[str, ...]) -> Iterator[bytes]:
    """Return the sound in another format, by ffmpeg, while it is made."""
    from models.media import command as media

    command = [*media.samples_input(rate), *options, "-flush_packets", "1", "pipe:1"]
    with media.pipe(command) as process:
        feeder = threading.Thread(target=_feed, args=(pieces, process.stdin), name="auralume-speech", daemon=True)
        feeder.start()
        try:
            while block := process.stdout.read1(BLOCK_BYTES):
                yield block
        finally:
            process.kill()
            feeder.join(60)


def _feed(pieces: Iterator[bytes], into: Any) -> None:
    """Write until there is no more, or nobody reads."""
    try:
        for piece in pieces:
            into.write(piece)
            into.flush()
    except OSError:
        pass  # the listener has left
    except Exception as error:
        jobs.sentence(error)  # to the log: the answer has begun, so it can only end early
    finally:
        with contextlib.suppress(OSError):
            into.close()
        close: Callable[[], None] | None = getattr(pieces, "close", None)
        if close is not None:
            close()


def events(sound: Iterator[bytes], text: str, made: SoundLength) -> Iterator[str]:
    """Return server-sent events as OpenAI's.

    The last one tells what was used: a character of the text is a token, and so is a hundredth of a second of sound.
    """
    with contextlib.closing(sound):  # type: ignore[type-var]
        for block in sound:
            delta = {"type": "speech.audio.delta", "audio": base64.b64encode(block).decode("ascii")}
            yield f"data: {json.dumps(delta)}\n\n"
    used = {"input_tokens": len(text), "output_tokens": round(100 * made.seconds)}
    done = {"type": "speech.audio.done", "usage": used | {"total_tokens": sum(used.values())}}
    yield f"data: {json.dumps(done)}\n\n"


async def _wishes(request: Request) -> dict[str, Any]:
    body = await read_body(request, MAX_BODY_BYTES)
    try:
        wishes = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the request must be JSON.") from error
    if not isinstance(wishes, dict):
        raise ValueError("the request must be a JSON object.")
    return wishes


def _number(wishes: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    """Return a number, which may come as text."""
    value = wishes.get(name)
    try:
        number = default if value is None else math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise ValueError(f"{name} is {value!r}; it must be a number from {low:g} to {high:.16g}.")
    return number


def _text(wishes: dict[str, Any]) -> str:
    text = wishes.get("input")
    if not isinstance(text, str):
        raise ValueError("input is missing; it must be the text to speak." if text is None else "input must be text.")
    if wishes.get("instructions"):
        raise ValueError(NO_INSTRUCTIONS)
    return text


def _one_of(wishes: dict[str, Any], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = wishes.get(name) or default
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return str(value)


def _refusal(error: Exception) -> Response:
    wrong_input = isinstance(error, (ValueError, TypeError)) and not isinstance(error, ModelError)
    status = STATUS.get(error.kind, 500) if isinstance(error, ModelError) else 400 if wrong_input else 500
    said = jobs.sentence(ValueError(str(error)) if wrong_input else error)
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": said, "type": kind, "param": None, "code": None}}, status_code=status)
