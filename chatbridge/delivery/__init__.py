"""The delivery engine: lanes, retries, giving up. It knows neither amojo nor messengers.

A lane is a conversation and direction. Only its first entry is ever under way; a failing first entry holds its lane
and no other. `lanes` decides what may go, `retry` decides what a failure means, `loader` brings entries in, `courier` delivers them.
"""
