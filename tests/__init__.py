"""The tests. A real database always; only what leaves the system is faked."""
