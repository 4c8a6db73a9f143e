"""Below Quart: connection classes, exchanges, routes without Quart's request, and what holds for every response."""
