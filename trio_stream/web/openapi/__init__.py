"""The description of everything this server returns, as OpenAPI 3.1."""
