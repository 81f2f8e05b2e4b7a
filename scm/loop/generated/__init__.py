"""A made-up brand of Chinese home goods: what it sells, who supplies it, two years of sales, and the stock behind them.

It is for trying the product without data. Everything in it is invented, drawn from a seed, and every page of a company
built from it says so. The same code makes a small company of a few items for tests.
"""
