"""What belongs to an album of films: cuts, what stands beside a film, and the album's page."""
