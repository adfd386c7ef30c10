"""The command line: what starts the studio, and the tabs' work without a page."""
