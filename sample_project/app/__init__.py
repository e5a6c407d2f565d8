"""The application: its models, and the code that upserts into them."""
