"""What crosses the wire: each shape is one type, which builds what is sent, checks what comes, and gives the schema."""
