"""What an administrator keeps: people, and the facts of the company."""
