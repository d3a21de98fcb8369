"""How fast Loupe is, measured on this machine: `python -m benchmarks` runs everything."""
