"""Nothing but the defaults."""
