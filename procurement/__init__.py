"""Buying: proposals, purchase orders, approval rules, matching and supplier scorecards."""
