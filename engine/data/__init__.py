"""Data: what a network learns from (`datasets`), and what a person draws, as the network sees it (`handwriting`)."""
