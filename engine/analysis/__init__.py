"""Analysis: questions put to a network from outside, arrays in and arrays out."""
