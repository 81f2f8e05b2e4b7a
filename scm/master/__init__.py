"""Master data: companies, items, partners, agreements, locations, carriers and calendars.

Rows here are retired, never deleted once something refers to them.
"""
