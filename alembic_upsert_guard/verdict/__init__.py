"""One answer for a declared key or an upsert: what the judge says, and what the database says where it can be asked."""
