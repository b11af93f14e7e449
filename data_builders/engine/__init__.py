"""What all builders share: finding, downloading, reading and storing raw data."""
