"""The desks of the procurement officer and the approver: approvals, purchase orders, suppliers, rules."""
