"""Pages for people who use the studio, and what makes their tables; `python -m docs.make_tables`."""
