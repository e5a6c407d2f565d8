"""How a difference between models and database is found, and what a revision does about it."""
