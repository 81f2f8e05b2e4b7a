"""What somebody with a scanner in the hand must know for one task: read models that write nothing."""
