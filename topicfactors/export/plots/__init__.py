"""Plotly figures of a fitted model, a file each."""
