"""Speed, memory and classical baselines, one command each; never run by the tests."""
