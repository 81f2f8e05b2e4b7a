"""The money ledger: journal, valuation of posted moves, invoices and the proof of the books."""
