"""Generated media say so themselves: a signed C2PA manifest, the IPTC digital source type, and the recipe.

C2PA 2.2 (spec.c2pa.org) for the manifest; the library `c2pa-python` writes and reads it. It must be written last: it
signs every other byte of the file.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.video.scene_words import SCENE_BY_RULE
from studio import __version__
from studio.io import xmp
from studio.io.recipes import Recipe, RecipeError, kind_of, read_recipe, read_text_tag

log = logging.getLogger(__name__)

CERTIFICATE, KEY = "certificate.pem", "certificate-key.pem"
VALID_DAYS = 3650
COMPOSITES = frozenset({"style_video", "style_audio", "music_video"})  # made of what a person gave, too
WITH_MUSIC = "music"  # how a recipe tells the sound of a clip
SIGNED = {name: name.removeprefix(".") for name in (".wav", ".mp3", ".flac", ".mp4", ".m4a", ".png", ".webp", ".gif")}
SIGNED |= {".m4b": "m4a"}
SOURCE_TAG = "DigitalSourceType"  # in ID3, and in a Vorbis comment


@dataclass(frozen=True)
class Finding:
    """What a file tells of where it comes from.

    Attributes:
        recipe: how it was made, or None.
        source: the IPTC digital source type, or "".
        state: of the C2PA manifest: "" where there is none, "Valid", "Trusted" or "Invalid".
        generator: the program that signed it, or "".
        is_ours: whether the certificate of this studio signed it.
        problems: what is wrong with the manifest, as C2PA's own codes.
    """

    recipe: Recipe | None
    source: str
    state: str
    generator: str
    is_ours: bool
    problems: tuple[str, ...] = ()


def find_source(recipe: Recipe) -> str:
    """Find the IPTC digital source type of what a recipe made.

    A clip whose scene is drawn by rule is no trained model's, unless its music is; emoji over it are drawn by hand.
    """
    if recipe.task in COMPOSITES:
        return xmp.COMPOSITE
    scene, _, laid = str(recipe.settings.get("drawn_by_rule", "")).partition(", ")
    if not scene.startswith(SCENE_BY_RULE):
        return xmp.GENERATED
    if recipe.settings.get("sound") == WITH_MUSIC:
        return xmp.COMPOSITE
    return xmp.BY_RULE_COMPOSITE if laid else xmp.BY_RULE


class Marker:
    """Marks files with the certificate of a studio.

    Args:
        folder: holds certificate and key: one's own, or made when first needed; None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._signer: Any = None
        self._serial = 0

    def mark(self, path: Path, recipe: Recipe) -> None:
        """Mark a finished file whose recipe is known; a kind that can hold no mark is left as it is.

        What goes wrong is noted in the log and leaves the file as it was: a result is worth more than its mark.
        """
        if path.suffix.lower() not in SIGNED:
            return
        source = find_source(recipe)
        part = path.with_name(f".{path.name}.part")
        try:
            if not xmp.write_xmp(path, xmp.packet(source, recipe.to_json())):
                _write_source_tag(path, source)
            self._sign(path, part, recipe, source)
            part.replace(path)
        except Exception:  # of several libraries, each with its own kinds
            log.warning("%s could not be marked as generated", path.name, exc_info=True)
            part.unlink(missing_ok=True)

    def read(self, path: Path) -> Finding:
        """Tell where a stranger's file says that it comes from."""
        import c2pa

        recipe = None
        with contextlib.suppress(RecipeError):
            recipe = read_recipe(path)
        state, generator, serial, told = "", "", "", ""
        problems: tuple[str, ...] = ()
        try:
            reader = c2pa.Reader.try_create(str(path))
            if reader is not None:
                with reader:
                    state, generator, problems, serial, told = _read_manifest(json.loads(reader.json()))
        except Exception as error:  # a stranger's file can break a parser in any way
            log.info("No manifest in %s: %s", path.name, error)
        source = told or xmp.read_source(path) or _read_source_tag(path)
        is_ours = bool(serial) and serial == str(self.serial)
        return Finding(recipe, source, state, generator, is_ours, problems)

    @property
    def serial(self) -> int:
        """Return the serial number of this studio's certificate."""
        self._ready_signer()
        return self._serial

    def _sign(self, path: Path, target: Path, recipe: Recipe, source: str) -> None:
        import c2pa

        agent = {"name": "Auralume", "version": recipe.version}
        created = {"action": "c2pa.created", "digitalSourceType": source, "softwareAgent": agent}
        manifest = {
            "claim_generator_info": [{"name": "Auralume", "version": __version__}],
            "title": path.name,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": "org.auralume.recipe", "data": json.loads(recipe.to_json())},
            ],
        }
        c2pa.load_settings({"builder": {"thumbnail": {"enabled": False}}})
        signer = self._ready_signer()
        with c2pa.Builder(manifest) as builder, path.open("rb") as old, target.open("w+b") as new:
            builder.sign(signer, SIGNED[path.suffix.lower()], old, new)

    def _ready_signer(self) -> Any:
        with self._lock:
            if self._signer is None:
                import c2pa
                from cryptography import x509

                chain, key = self._pair()
                self._serial = x509.load_pem_x509_certificates(chain)[0].serial_number
                self._signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
            return self._signer

    def _pair(self) -> tuple[bytes, bytes]:
        """Return certificate chain and key as PEM: those in the folder, or new ones."""
        if self.folder is None:
            return make_certificate()
        chain, key = self.folder / CERTIFICATE, self.folder / KEY
        if not chain.is_file() or not key.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            made = make_certificate()
            with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(made[1])
            chain.write_bytes(made[0])
        return chain.read_bytes(), key.read_bytes()


_MARKERS: list[Marker] = [Marker()]


def use_folder(folder: Path) -> None:
    """Let this process sign with the certificate in a folder."""
    _MARKERS[0] = Marker(folder)


def studio_marker() -> Marker:
    """Return what marks the files of this process."""
    return _MARKERS[0]


def mark_result(path: str | Path) -> None:
    """Mark a finished file that holds its recipe; any other file stays as it is."""
    with contextlib.suppress(RecipeError, OSError):
        studio_marker().mark(Path(path), read_recipe(path))


def make_certificate() -> tuple[bytes, bytes]:
    """Return a new certificate with its root, and its key, as PEM; nobody but this studio vouches for it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(common: str) -> x509.Name:
        parts = ((NameOID.ORGANIZATION_NAME, "Auralume"), (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])

    def usage(**is_allowed: bool) -> x509.KeyUsage:
        names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # type: ignore[assignment]
        return x509.KeyUsage(**(dict.fromkeys(names, False) | is_allowed))

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def begin(subject: str, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("A studio's own root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=VALID_DAYS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    root = (
        begin("A studio's own root", root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = (
        begin("A studio of generated media", key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + root.public_bytes(pem), private


def _read_manifest(told: dict[str, Any]) -> tuple[str, str, tuple[str, ...], str, str]:
    """Return state, generator, problems, serial number and digital source type of the active manifest."""
    active = told.get("manifests", {}).get(told.get("active_manifest", ""), {})
    generator = (active.get("claim_generator_info") or [{}])[0].get("name", "")
    codes = [str(each.get("code", "")) for each in told.get("validation_status", [])]
    actions = [
        action
        for each in active.get("assertions", [])
        if str(each.get("label", "")).startswith("c2pa.actions")
        for action in each.get("data", {}).get("actions", [])
    ]
    source = next((str(each["digitalSourceType"]) for each in actions if each.get("digitalSourceType")), "")
    serial = str(active.get("signature_info", {}).get("cert_serial_number", ""))
    return str(told.get("validation_state", "")), str(generator), tuple(codes), serial, source


def _write_source_tag(path: Path, source: str) -> None:
    from mutagen.flac import FLAC
    from mutagen.id3 import TXXX
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    kinds: dict[str, Any] = {"wav": WAVE, "mp3": MP3, "flac": FLAC}
    kind = kind_of(path)
    if kind not in kinds:
        return
    file = kinds[kind](path)
    if kind == "flac":
        file[SOURCE_TAG] = source
    else:
        if file.tags is None:
            file.add_tags()
        file.tags.add(TXXX(encoding=3, desc=SOURCE_TAG, text=[source]))
    file.save()


def _read_source_tag(path: Path) -> str:
    """Return the digital source type in a sound file's tags, or ""."""
    return read_text_tag(path, SOURCE_TAG) or ""
