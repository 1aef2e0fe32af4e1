"""People across channels: one member, however many identities; joining and separating them leaves a trace."""
