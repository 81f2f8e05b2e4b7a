"""Selling: orders, what they were promised, how far they are, and the demand that was lost."""
