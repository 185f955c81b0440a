"""Fits the parameters."""
