"""Pure planning mathematics: numbers in, numbers out, no database and no kernel."""
