"""The goods ledger: moves, balances, reservations, lots, pegs and holds.

The only room that records where things are; it knows quantities and no money.
"""
