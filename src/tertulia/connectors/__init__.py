"""One folder per network, in plain Python.

A connector knows its network and nothing of the rest of the house: no Django, no database, no other connector.
`contract` says what it must offer, `registry` finds the ones that are installed.
"""
