"""Orders as channels send them: messages in any order and repeated, read from files, folded and brought about."""
