"""Find, download, check, load, share and free models; the catalogue."""
