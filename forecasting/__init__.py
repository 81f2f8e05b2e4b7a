"""Demand models: history, signals, methods, selection, quantiles and the record of forecast runs."""
