"""Production: work orders, what they are issued, what they report, and what comes of them."""
