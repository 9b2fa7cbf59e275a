"""The account side of the emulated amoCRM: its API, OAuth, widgets and the pages around them.

Source of what is said here, unless a line says otherwise: the pages "oauth", "step-by-step", "account-info",
"users-api", "sources-api", "widgets-api", "disposable-tokens" and "script_js" of amoCRM's documentation.
"""
