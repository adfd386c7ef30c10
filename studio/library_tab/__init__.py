"""The Library tab and the shelf under all tabs."""
