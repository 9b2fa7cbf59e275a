"""An amoCRM of one's own: the chat service (amojo) emulated, and an operator's inbox beside it.

Messenger developers work against it without an amoCRM account, and the bridge is tested against it.
It imports nothing else of chatbridge, above all no signing code: an emulator that shared code with
the bridge would agree with the bridge's mistakes.
"""
