"""The Hugging Face Hub: listing, download, checksums, formats, and what a model is before it is loaded."""
