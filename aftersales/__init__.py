"""The returns desk: authorizations, inspection, disposition, refunds and what they teach the loop."""
