"""Training: the loop, what it reports, and what is observed of the network meanwhile."""
