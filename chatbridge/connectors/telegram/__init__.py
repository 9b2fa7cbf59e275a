"""Telegram bots. Nothing here but `connector` and `settings` may be imported before a bot is: aiogram takes seconds."""
