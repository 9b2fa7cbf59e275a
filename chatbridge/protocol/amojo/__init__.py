"""amojo: the chat protocol of amoCRM and Kommo, both signature generations and both callback versions.

`signing` signs and verifies · `payloads` writes what we send · `calls` makes whole requests of it · `replies` reads
the answers · `callbacks` reads what amoCRM sends us · `hooks` writes the same shape for messengers that speak amojo.
"""
