"""Generated models and call sites: what ``scan`` says of each is what the real upsert does on the created schema."""
