"""The parts of verify.py, the single file that checks an audit pack on a bare Python.

Standard library only, Python 3.9 or later; `audit.single` joins them into one file in the order of
`audit.single.PARTS`. Each part imports only the standard library and the parts before it.
"""
