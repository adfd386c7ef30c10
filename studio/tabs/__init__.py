"""One file a tab: each lays out its controls and wires them to the registry."""
