"""Sound before and after, as a site to look at and to listen to."""
