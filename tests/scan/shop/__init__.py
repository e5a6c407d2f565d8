"""A shop: the models that the corpus is written against. Copied into the tree that is scanned."""
