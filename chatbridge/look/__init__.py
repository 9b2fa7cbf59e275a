"""The look shared by all pages: design tokens, styles, icons and small ES modules, served at ``/look/``."""
