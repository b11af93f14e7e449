"""HiTS: real DECam image sequences, and simulated ones."""
