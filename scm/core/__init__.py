"""The kernel: settings, transactions, documents, numbering, idempotency, approval, outbox, users and audit.

It knows nothing of goods, money or planning, and imports no other room.
"""
