"""The files of the networks that come with the package, and their card."""
