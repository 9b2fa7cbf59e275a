"""The wire, without I/O: bytes in, values out, and back.

Nothing below this package opens a socket, looks at a clock, draws a random number, writes a log or touches a
database; `now` and new ids are arguments. For any input the parsers return a value or raise an error of
`chatbridge.errors`, nothing else.
"""
