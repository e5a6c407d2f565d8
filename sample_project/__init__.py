"""One application with the five faults that upsert keys exist for: `python -m sample_project`."""
