"""The job `pictures`: a poster with its blur hash, and sheets of preview tiles."""
