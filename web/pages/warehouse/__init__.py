"""The warehouse: the manager's board, the pages for scanners, and the documents behind them."""
