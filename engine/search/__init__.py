"""Hyper-parameter search: many trials of one experiment, each with other values, judged on a validation set."""
