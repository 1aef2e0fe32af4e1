"""Settings, addresses, servers and the one command."""
