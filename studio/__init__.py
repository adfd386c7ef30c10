"""Everything a person sees; the only part of Auralume that imports gradio."""

__version__ = "0.1.0"
