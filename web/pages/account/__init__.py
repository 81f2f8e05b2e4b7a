"""Signing in and out, and what each person decides about their own pages."""
