"""The real studio over the debug generators, the shipped voice and the shipped sync network.

python -m tests.browser.serve_debug FOLDER PORT
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from models.threads import limit_spinning

if __name__ == "__main__":
    limit_spinning()
    from models.backends import video as hub_video
    from models.contracts import Task
    from models.live import clip_stream
    from models.live.load_monitor import LoadMonitor
    from models.registry.catalog import CATALOG
    from models.registry.registry import WEIGHTS_DIR
    from studio.app import build_studio, launch_studio
    from studio.library.store import Library
    from studio.server.access import rules_for
    from tests.studio.debug_beats import music_video_specs
    from tests.studio.debug_music import debug_music_spec
    from tests.studio.debug_speech import debug_registry, debug_spec
    from tests.studio.debug_style import style_specs
    from tests.studio.debug_video import debug_video_spec

    LoadMonitor.govern = lambda *_: 0  # type: ignore[method-assign]  # a busy machine would take the live pictures away
    hub_video.CPU_LONGEST_SIDE = 64  # tiny networks take long, too, for large pictures
    clip_stream.STEPS, clip_stream.CLIP_FRAMES = 2, 4
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    shipped = next(spec for spec in CATALOG if spec.key == "speech/tacotron2")
    films = next(spec for spec in CATALOG if spec.task == Task.VIDEO and spec.is_native)
    for file in (*WEIGHTS_DIR.glob("speech_*.safetensors"), *WEIGHTS_DIR.glob("video_*")):
        shutil.copy(file, folder)
    sync = next(spec for spec in CATALOG if spec.task == Task.SYNC)
    specs = (
        debug_spec("slow", "load_slow"),
        debug_spec("quick", mixes_voices=True),
        debug_spec("broken", "load_corrupt"),
        shipped,
    )
    music = (debug_music_spec(folder, "quick"), debug_music_spec(folder, "slow"))
    video = (debug_video_spec("quick"), debug_video_spec("slow"), films, sync)
    beats = music_video_specs()[0]
    registry = debug_registry(folder, *specs, *music, *video, beats, *style_specs(), memory_budget_mb=1000)
    studio = build_studio(registry, Library(folder / "library"))
    rules = rules_for(None, ["http://studio.test"])  # so that every test's browser is a person of its own
    launch_studio(studio, rules, server_name="127.0.0.1", server_port=port, quiet=True)
