"""Where loaded models live: in the page's process, in processes beside it, or on the machines of a Ray cluster."""
