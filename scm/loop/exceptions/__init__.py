"""What needs somebody today: queries over the ledgers and documents, and what people answered to what they found.

An exception is never written down as such: `refresh` asks the finders what is wrong, opens a case for what is new and
closes the case whose cause has gone. Only what a person decided about a case is a fact of its own.
"""
