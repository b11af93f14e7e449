"""What all builders run on: finding, fetching, reading in order, storing."""
