"""Live runs: training in worker processes, steered and watched from the server."""
