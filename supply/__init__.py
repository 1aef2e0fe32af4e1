"""What Tertulia is made of, for whoever has to know: `python -m supply.sbom`, `python -m supply.audit`."""
