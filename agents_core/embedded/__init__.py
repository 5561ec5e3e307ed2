"""Floor 1: the PostgreSQL that comes with the product, run from the binaries of a wheel. Knows no Django."""
