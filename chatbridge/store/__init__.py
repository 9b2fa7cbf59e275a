"""The database, SQLAlchemy Core only: one schema and one set of statements for SQLite and PostgreSQL.

A unit of work is a plain function whose first argument is a connection. It never begins or commits: `engine` does.
Order and uniqueness are constraints in `schema`. What differs between the two databases is in `dialect`.
"""
