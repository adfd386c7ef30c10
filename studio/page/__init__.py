"""What every tab uses: components, model picker and card, HTML, plots, theme, jobs."""
