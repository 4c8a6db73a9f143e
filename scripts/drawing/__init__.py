"""Drawn scenes for the demo library: letters, shapes, people, scenes, and the code that encodes them."""
