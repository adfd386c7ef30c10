"""The real studio over the debug generator: `python -m tests.browser.serve_debug FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

from models.threads import wait_briefly

if __name__ == "__main__":
    wait_briefly()
    from studio.app import build_studio, launch_studio
    from tests.studio.debug_speech import debug_registry, debug_spec
    from tests.studio.debug_style import style_specs

    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    specs = (debug_spec("slow", "load_slow"), debug_spec("quick"), debug_spec("broken", "load_corrupt"))
    studio = build_studio(debug_registry(folder, *specs, *style_specs()))
    launch_studio(studio, server_name="127.0.0.1", server_port=port, quiet=True)
