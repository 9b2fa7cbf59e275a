"""The emergency spool: callbacks on disk while the database does not take them.

`records` says what the bytes are (pure), `files` puts them on disk.
"""
