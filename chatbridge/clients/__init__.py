"""Thin I/O over the protocol: the one transport through which every outgoing request leaves."""
