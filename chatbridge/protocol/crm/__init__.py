"""The account side of amoCRM and Kommo: OAuth, tokens, and the few calls of its API that linking needs.

Pages named in quotes are those of amoCRM's documentation for developers. Field names are the vendor's, letter for letter.
"""
