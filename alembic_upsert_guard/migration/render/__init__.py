"""How the operations are written into a revision: what a person would type."""
