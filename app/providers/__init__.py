"""The outside that is not rows: models and the engine of jobs."""
