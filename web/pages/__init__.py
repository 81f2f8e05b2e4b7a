"""The pages: each reads its input, makes one call of a read model, and renders."""
