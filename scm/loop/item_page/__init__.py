"""What is known of one item, for the page on which its planner decides: past, outlook, supply, returns, proposals."""
