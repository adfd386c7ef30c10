"""Everything a person sees; the only part of Auralume that imports gradio."""

__version__ = "0.2.0"  # the one place: the package, the page and the recipes in files read it here
