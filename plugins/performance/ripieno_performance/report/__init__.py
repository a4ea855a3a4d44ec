"""What is in a set of recordings and performances, as one page."""
