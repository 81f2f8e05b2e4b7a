"""Selling: channels, orders, promising, and the status of an order as the ledger tells it."""
