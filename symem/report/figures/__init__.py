"""Plate diagrams and plots, as SVG."""
