"""The look of the studio: its own palette and type, light and dark.

Warm paper by day, night sea by dark; sea green for what acts, lamp orange for what sounds. The fonts come with Gradio
or the system, so that the page asks no other server for anything.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from gradio.themes.base import Base
from gradio.themes.utils import colors, fonts, sizes

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SCRIPTS = (
    "storage.js",
    "fields.js",
    "player.js",
    "examples.js",
    "studio.js",
    "tabs.js",
    "live.js",
    "browser_library.js",
    "library.js",
    "roll.js",
    "board.js",
    "lyrics.js",
)
STYLES = ("studio.css", "player.css", "live.css", "library.css", "roll.css", "board.css")

SEA = colors.Color(
    name="sea",
    c50="#eefaf7",
    c100="#d5f2ec",
    c200="#aee5da",
    c300="#7cd3c4",
    c400="#4dbcab",
    c500="#2a9f90",
    c600="#127f74",
    c700="#0f655e",
    c800="#10514c",
    c900="#11433f",
    c950="#042725",
)
LAMP = colors.Color(
    name="lamp",
    c50="#fff6ec",
    c100="#ffead2",
    c200="#ffd2a3",
    c300="#fdb56c",
    c400="#f7933c",
    c500="#ec7a1c",
    c600="#cb5f11",
    c700="#a24811",
    c800="#813a14",
    c900="#683114",
    c950="#391707",
)
INK = colors.Color(
    name="ink",
    c50="#faf9f6",
    c100="#f3f1ec",
    c200="#e5e2da",
    c300="#cdcac1",
    c400="#98a0ad",
    c500="#687386",
    c600="#4a5568",
    c700="#2d3a4d",
    c800="#1a2433",
    c900="#121a26",
    c950="#0b1119",
)


# Of the fonts that come with Gradio only some files hold the Latin letters; these do.
BODY_FONT = "IBM Plex Sans"
TITLE_FONT_FILE = "static/fonts/Montserrat/Montserrat-Bold.woff2"

# Gradio confines the style sheet to the page's content; the frame around the content is set here.
FRAME = """
@font-face { font-family: "Auralume Title"; src: url("%s") format("woff2"); font-weight: 700; font-display: swap; }
body { background: var(--body-background-fill) !important; color: var(--body-text-color) !important; }
.gradio-container {
  width: 100% !important; max-width: 1240px !important; margin: 0 auto !important; padding: 0 !important;
}
.gradio-container > .main { padding: 0 28px 28px !important; width: 100% !important; }
@media (max-width: 800px) { .gradio-container > .main { padding: 0 14px 20px !important; } }
""".replace("%s", TITLE_FONT_FILE)


class Auralume(Base):
    """The studio's theme."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=SEA,
            secondary_hue=LAMP,
            neutral_hue=INK,
            spacing_size=sizes.spacing_md,
            radius_size=sizes.radius_lg,
            text_size=sizes.text_md,
            font=(fonts.LocalFont(BODY_FONT, weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"),
            font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"),
        )
        self.name = "auralume"
        super().set(
            body_background_fill="*neutral_50",
            body_background_fill_dark="*neutral_950",
            body_text_color="*neutral_800",
            body_text_color_dark="*neutral_200",
            body_text_color_subdued="*neutral_500",
            link_text_color="*primary_600",
            link_text_color_dark="*primary_300",
            link_text_color_visited="*primary_600",
            link_text_color_visited_dark="*primary_300",
            link_text_color_hover="*primary_700",
            link_text_color_hover_dark="*primary_200",
            link_text_color_active="*primary_700",
            link_text_color_active_dark="*primary_200",
            body_text_color_subdued_dark="*neutral_400",
            background_fill_primary="#ffffff",
            background_fill_primary_dark="*neutral_900",
            background_fill_secondary="*neutral_50",
            background_fill_secondary_dark="*neutral_950",
            border_color_primary="*neutral_200",
            border_color_primary_dark="*neutral_700",
            border_color_accent="*primary_400",
            border_color_accent_dark="*primary_600",
            color_accent="*primary_600",
            color_accent_soft="*primary_50",
            color_accent_soft_dark="*primary_950",
            block_background_fill="transparent",
            block_background_fill_dark="transparent",
            block_border_width="0px",
            block_border_width_dark="0px",
            block_padding="0px",
            block_shadow="none",
            block_shadow_dark="none",
            block_title_text_weight="600",
            block_title_text_size="*text_sm",
            block_title_text_color="*neutral_700",
            block_title_text_color_dark="*neutral_200",
            block_title_background_fill="transparent",
            block_title_background_fill_dark="transparent",
            block_title_padding="0px",
            block_info_text_color="*neutral_500",
            block_info_text_color_dark="*neutral_400",
            block_label_background_fill="transparent",
            block_label_background_fill_dark="transparent",
            block_label_border_width="0px",
            block_label_border_width_dark="0px",
            form_gap_width="0px",
            layout_gap="16px",
            input_background_fill="#ffffff",
            input_background_fill_dark="*neutral_950",
            input_border_color="*neutral_200",
            input_border_color_dark="*neutral_700",
            input_border_color_focus="*primary_500",
            input_border_color_focus_dark="*primary_500",
            input_border_width="1.5px",
            input_border_width_dark="1.5px",
            input_placeholder_color="*neutral_400",
            input_placeholder_color_dark="*neutral_500",
            input_radius="12px",
            input_shadow="none",
            input_shadow_focus="0 0 0 3px rgba(42, 159, 144, 0.18)",
            input_shadow_focus_dark="0 0 0 3px rgba(42, 159, 144, 0.30)",
            slider_color="*primary_500",
            slider_color_dark="*primary_400",
            loader_color="*primary_500",
            loader_color_dark="*primary_400",
            button_large_radius="12px",
            button_medium_radius="10px",
            button_small_radius="999px",
            button_large_text_weight="600",
            button_border_width="1.5px",
            button_border_width_dark="1.5px",
            button_transition="background 0.15s ease, border-color 0.15s ease, transform 0.08s ease",
            button_transform_active="translateY(1px)",
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_hover="*primary_600",
            button_primary_background_fill_dark="*primary_300",
            button_primary_background_fill_hover_dark="*primary_200",
            button_primary_border_color="transparent",
            button_primary_border_color_dark="transparent",
            button_primary_border_color_hover="transparent",
            button_primary_border_color_hover_dark="transparent",
            button_primary_text_color="#ffffff",
            button_primary_text_color_dark="*primary_950",
            button_primary_text_color_hover="#ffffff",
            button_primary_text_color_hover_dark="*primary_950",
            button_primary_shadow="0 1px 2px rgba(15, 101, 94, 0.25), 0 6px 16px -6px rgba(15, 101, 94, 0.45)",
            button_primary_shadow_dark="none",
            button_secondary_shadow="none",
            button_secondary_shadow_hover="none",
            button_secondary_shadow_active="none",
            button_secondary_background_fill="#ffffff",
            button_secondary_background_fill_dark="*neutral_800",
            button_secondary_background_fill_hover="*primary_50",
            button_secondary_background_fill_hover_dark="*neutral_700",
            button_secondary_border_color="*neutral_200",
            button_secondary_border_color_dark="*neutral_700",
            button_secondary_border_color_hover="*primary_400",
            button_secondary_border_color_hover_dark="*primary_600",
            button_secondary_text_color="*neutral_700",
            button_secondary_text_color_dark="*neutral_200",
            button_secondary_text_color_hover="*primary_800",
            button_secondary_text_color_hover_dark="*primary_200",
            checkbox_label_background_fill="transparent",
            checkbox_label_background_fill_dark="transparent",
            checkbox_label_background_fill_selected="*primary_50",
            checkbox_label_background_fill_selected_dark="*primary_950",
            checkbox_label_border_color="*neutral_200",
            checkbox_label_border_color_dark="*neutral_700",
            checkbox_label_border_color_selected="*primary_500",
            checkbox_label_border_color_selected_dark="*primary_500",
            checkbox_label_text_color_selected="*primary_800",
            checkbox_label_text_color_selected_dark="*primary_200",
            checkbox_label_border_width="1.5px",
            checkbox_label_border_width_dark="1.5px",
            checkbox_background_color_selected="*primary_600",
            checkbox_background_color_selected_dark="*primary_500",
        )


@lru_cache(maxsize=1)
def read_script() -> str:
    """Return the script of the page; all that is sent of it while the studio runs is of one version."""
    return "".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS)


def launch_options() -> dict[str, Any]:
    """Return what `Blocks.launch` needs for the look: theme and style sheet."""
    return {
        "theme": Auralume(),
        "css_paths": [ASSETS / name for name in STYLES],
        "head": f"<style>{FRAME}</style>",
        "favicon_path": str(ASSETS / "favicon.png"),
        "footer_links": ["api", "settings"],
    }
