"""All SQL of the library. Each function runs within one transaction of whoever calls it."""
