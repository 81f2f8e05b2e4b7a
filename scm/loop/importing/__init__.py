"""Brings a company's real history in: sales and returns from a file, and what the file lacks, assumed and labelled.

`sales.run` is the way in. Reading and deciding happen in memory before any transaction is open; everything is then
written in one transaction, so that a bad file changes nothing.
"""
