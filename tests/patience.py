"""How long a test waits for what ought to come before it fails, in seconds.

It asserts nothing about speed: the slowest machine known, with all its processors busy, takes half a minute over what
takes a second elsewhere, and a test that passes never waits this long.
"""

PATIENCE = 120.0
