"""The HTTP surface: verify, read, call one use case, answer.

`routes` is the table of every endpoint; `endpoint` turns a row of it into an aiohttp handler, and `openapi` turns the
same row into the documentation, so the two cannot differ.
"""
