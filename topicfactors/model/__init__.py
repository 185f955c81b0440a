"""p(x, z): what generates the counts."""
