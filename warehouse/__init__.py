"""Work in the warehouse, from the inbound notice to the delivery at the customer's door."""
