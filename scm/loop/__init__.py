"""The closed loop: importing history, the nightly cycle, the simulated world, indicators and exceptions.

What one cycle measures is read by the next one; nothing here is called from a lower room.
"""
