"""The types of JSON on the wire. Each type builds what is sent, validates what is received, and defines its schema."""
