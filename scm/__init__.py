"""The closed-loop supply chain: kernel, master data, ledgers, sales, planning and the loop itself."""
