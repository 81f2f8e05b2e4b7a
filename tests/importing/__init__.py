"""Tests of importing sales: small dirty files, one for each complaint, and the real one."""
