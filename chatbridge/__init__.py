"""chatbridge: a durable bridge between messengers and amoCRM / Kommo chats."""

__version__ = "0.1.0"
