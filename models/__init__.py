"""Everything that computes: networks, generators, the registry. Never imports gradio or studio."""
