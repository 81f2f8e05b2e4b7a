"""Proposals: the list with its bulk answers, and what a row opens to."""
