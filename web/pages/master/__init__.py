"""Master data: what is bought, from whom, where it lies, when the site works and who carries; changed in place."""
