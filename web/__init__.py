"""Entry points only: command line, pages, worker and migrations. Nothing below imports this package."""
