"""Pigeon Post as a messenger of chatbridge."""
