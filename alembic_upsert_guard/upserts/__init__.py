"""The sources of upserts, each held against what the models declare or what a database offers."""
