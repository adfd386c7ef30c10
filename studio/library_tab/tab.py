"""The Library tab: everything that was made, to be found, played, compared, sent on, and opened again.

The page's script (`studio/assets/library.js`) draws the cards; it asks the routes beside this module.
"""

from __future__ import annotations

from studio.page.components import markup

TITLE, ID = "Library", "library"
ROOT = '<div id="library-root" class="library" data-keeps="%s"></div>'
SHELF = (
    '<section id="library-shelf-root" class="library" data-keeps="%s" aria-label="Your latest results" hidden>'
    "</section>"
)
MOUNT = "window.auralumeLibrary?.mount();"


def build(keeps: str) -> None:
    """Lay out the tab in the current Blocks.

    Args:
        keeps: who keeps the results: "server", or "browser".
    """
    markup(ROOT % keeps, elem_id="library", js_on_load=MOUNT)


def build_shelf(keeps: str) -> None:
    """Lay out the shelf that stands under all tabs; `keeps` as above."""
    markup(SHELF % keeps, elem_id="library-shelf", js_on_load=MOUNT)
