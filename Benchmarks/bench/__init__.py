"""Measures databudgie beside the server's own COPY and the tools that people use. scripts/bench starts it."""
