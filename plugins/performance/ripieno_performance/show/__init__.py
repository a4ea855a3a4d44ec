"""A performance as a picture: PNG, SVG, or a page to look around in."""
