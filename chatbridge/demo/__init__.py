"""`make run`: the server, an amoCRM sandbox and a client's phone, wired together.

The phone's backend is a messenger like any other: it knows the bridge only by its public API (`bridge_client`), gets
operators' messages as signed webhooks (`routes`), and keeps what the phone shows (`phone`). `compose` starts it all.
"""
