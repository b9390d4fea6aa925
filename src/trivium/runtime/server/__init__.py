"""`trivium serve`: answers over HTTP from an exported folder, without torch. It withstands careless clients."""
