"""The training of a generator: networks, losses, lessons, export. It needs the extra `train`."""
