"""Drawn scenes for the demo library: letters, shapes, scenes, and the code that encodes them."""
