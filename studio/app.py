"""The studio: puts the tabs together and starts them."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from gradio import audio_stream_encoder

from models.media.limits import MAX_UPLOAD_BYTES
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.ffmpeg_path import ensure_ffmpeg
from studio.io.marking import use_folder
from studio.library.owners import OwnerRules, read_secret
from studio.library.store import Library
from studio.library.transit import Transit
from studio.library_tab import tab as library_tab
from studio.library_tab.routes import routes as library_routes
from studio.make import panel as make_panel
from studio.page import html
from studio.page.components import markup
from studio.page.drafts import wire_drafts
from studio.page.examples import examples_route
from studio.page.given_files import check_given_files
from studio.page.jobs import AT_ONCE
from studio.page.keeping import KEPT_BY, LIBRARIES
from studio.page.lightness import host_progress
from studio.page.places import places_of
from studio.page.runs import BOARDS, RunBoard, watch_abandoned
from studio.page.tab import Tab
from studio.page.theme import launch_options
from studio.page.wiring import wire_returns
from studio.programs import tool_jobs
from studio.server import health, serving
from studio.server.access import AccessRules, rules_for
from studio.server.link_preview import preview_route
from studio.server.sent_page import script_route
from studio.server.signals import end_at_once
from studio.server.warm import Warmer

# The folders of the tabs in the order of the page; each has a module `tab` that exports TAB.
FOLDERS = (
    "speech",
    "music",
    "video",
    "music_video",
    "style",
    "live",
    "models_tab",
)
TABS: tuple[Tab, ...] = tuple(import_module(f"studio.{folder}.tab").TAB for folder in FOLDERS)
BEFORE_LIBRARY = "models"
KEEP_FILES_S = 6 * 3600
MAX_WAITING = 40
WARMERS: WeakKeyDictionary[gr.Blocks, Warmer] = WeakKeyDictionary()
REGISTRIES: WeakKeyDictionary[gr.Blocks, Registry] = WeakKeyDictionary()
STREAM_STARTUP_WAIT_S = 2.0  # at most; the encoder's first frame ends the wait, and the player need not ask again


def build_studio(registry: Registry, library: Library | None = None) -> gr.Blocks:
    """Build the page over a registry; start it with `launch_studio`.

    Args:
        library: keeps the results; None keeps none.
    """
    ensure_ffmpeg()
    keeps = "browser" if isinstance(library, Transit) else "server"
    audio_stream_encoder.STARTUP_WAIT = STREAM_STARTUP_WAIT_S
    with gr.Blocks(
        title="Auralume", analytics_enabled=False, delete_cache=(1800, KEEP_FILES_S), fill_width=True
    ) as studio:
        if library is not None:
            LIBRARIES[studio] = KEPT_BY[registry] = library
            use_folder(library.folder / "signing")
        places = registry.home.places
        store = library.jobs if library is not None else None
        BOARDS[studio] = RunBoard(store, max(AT_ONCE, places), places)
        studio.queue(max_size=MAX_WAITING, default_concurrency_limit=4)  # while it is empty: it reads the whole page
        host = markup("", visible=False)
        markup(html.header(), elem_id="studio-header")
        if not registry.specs():
            markup(html.problem("The registry holds no model, so there is nothing to make yet."))
        if make_panel.serves(registry):
            make_panel.build(registry)
        with gr.Tabs(elem_id="studio-tabs"):
            for tab in TABS if registry.specs() else ():
                if library is not None and tab.id == BEFORE_LIBRARY:
                    with gr.Tab(library_tab.TITLE, id=library_tab.ID):
                        library_tab.build(keeps)
                if tab.serves(registry):
                    with gr.Tab(tab.title, id=tab.id):
                        tab.build(registry)
        if library is not None:
            library_tab.build_shelf(keeps)
        tool_jobs.build(registry, places_of(), BOARDS[studio], library)
        markup(html.footer(), elem_id="studio-footer")
        wire_drafts(studio)
        wire_returns(studio)
        check_given_files(studio)
        REGISTRIES[studio] = registry
        warmer = WARMERS[studio] = Warmer(registry)
        studio.load(warmer.start, queue=False, show_progress="hidden", api_visibility="private")
        host_progress(studio.fns.values(), host)
    return studio


def launch_studio(studio: gr.Blocks, rules: AccessRules | None = None, **options: Any) -> None:
    """Start serving and wait until the process is told to end.

    Args:
        rules: who may use the studio; by default this machine's own pages and programs, and those of its `server_name`.
        options: of `Blocks.launch`.
    """
    temp_folders.clear_abandoned()
    block = not options.pop("prevent_thread_lock", False)
    if block:
        end_at_once()
    settings: dict[str, Any] = (
        {"ssr_mode": False, "run_history": False, "max_file_size": MAX_UPLOAD_BYTES} | launch_options() | options
    )
    registry = REGISTRIES[studio]
    routes = [preview_route(), script_route(), examples_route()] + [
        route for tab in TABS if tab.routes is not None for route in tab.routes(registry)
    ]
    library = LIBRARIES.get(studio)
    routes += health.routes(studio, registry, BOARDS[studio], library)
    if library is not None:
        routes += library_routes(library, places_of(studio), BOARDS[studio])
    if library is None or isinstance(library, Transit):
        watch_abandoned(BOARDS[studio])
    settings["app_kwargs"] = {"routes": routes, **(settings.get("app_kwargs") or {})}
    rules = rules or rules_for(settings.get("server_name"))
    secret = read_secret(library.folder if library is not None else None)
    owners = OwnerRules(secret, rules.password.partition(":")[0], rules.is_alone, isinstance(library, Transit))
    with serving.guarded(rules, studio, owners):
        studio.launch(prevent_thread_lock=True, **settings)
    threading.Timer(Warmer.LATEST_START_S, WARMERS[studio].start).start()
    if block:
        serving.serve_until_told(studio)
