"""What lasts: results with how they were made, jobs, and whose they are. Knows no page."""
