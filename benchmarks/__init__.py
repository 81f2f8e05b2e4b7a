"""Measurements of the whole system in CPU seconds, each beside a bare loop of the same effect in the same run.

`python -m benchmarks --help` lists them; `docs/benchmarks.md` says what each compares, on what data, with what seed.
"""
