"""Any backend that takes webhooks: Standard Webhooks, or amojo's own callbacks."""
