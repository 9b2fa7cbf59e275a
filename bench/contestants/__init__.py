"""The contestants: each file is one bridge, written as people write it today. All do the same work.

From messenger to amoCRM: check the bearer key, validate, build amojo's body, sign, POST. Back: check the signature,
read the callback, build a Standard Webhooks event, sign, POST. `python -m bench.contestants.NAME` runs one.
"""
