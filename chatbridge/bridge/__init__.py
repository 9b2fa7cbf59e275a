"""Use cases: the only place that sees both sides.

`intake` accepts from either side · `sending` delivers to either side · `linking` connects accounts ·
`directory` knows who is who · `tracking` tells where a message is · `parking` shows and releases what is parked.
"""
