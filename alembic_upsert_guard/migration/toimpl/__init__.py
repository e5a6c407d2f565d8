"""How the directives run: online against the connection, offline into the script."""
