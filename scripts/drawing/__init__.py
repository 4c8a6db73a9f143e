"""Drawn scenes for the demonstration library: letters, shapes, scenes, and what makes films of them."""
