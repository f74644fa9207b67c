"""An alert → the body that one kind of receiver understands. Pure functions."""
