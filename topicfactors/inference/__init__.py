"""q(z | x): what explains the counts, and how well."""
