"""Use cases: the only place that sees both sides.

Messages come in by `intake` (messengers), `callbacks` (amoCRM), `ingress` (integrations that take us for amoCRM), `importing` and `recovery`;
all of them end in `accepting`. `sending` delivers to either side, with files from `copying` by `attaching`. What happens afterwards is
`afterthoughts` and `marks`. `directory` knows who is who, `linking` connects accounts, `tracking` and `history` tell what became of
messages, `parking` shows and releases what is parked.
"""
