"""What the operator of the server sees: logs and metrics. Neither ever holds message texts, phones or secrets."""
