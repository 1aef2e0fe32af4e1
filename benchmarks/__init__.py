"""What Tertulia promises about speed and memory, measured: `python -m benchmarks --help`."""
