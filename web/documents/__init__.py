"""What every document page shows beside its own content: the chain it stands in, and its timeline, in words."""
