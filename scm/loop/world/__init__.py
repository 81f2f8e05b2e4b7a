"""A seeded world around the real code: customers, suppliers, a carrier, a warehouse crew, officers, returners.

It makes events up and calls the same verbs that people call through the pages; it writes nothing itself.
"""
