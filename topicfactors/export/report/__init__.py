"""The report of a fitted model: one HTML page that needs no network."""
