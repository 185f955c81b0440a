"""Engines that do the work of one command on several machines.

``ray`` finds the machines and has tasks done on them, ``training`` trains in their processes,
``relay`` passes on what these have to say. What the processes do is what one process does; files
are on storage that all of them share.
"""
