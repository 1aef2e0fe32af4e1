"""A copy of the whole installation in one file: made while everything runs, opened before it counts, restored anywhere.

`databases` opens one beside the installation's own, `tables` reads and compares what is in it, `copying` carries it
over, `sealing` encrypts a file, `archive` is the file, `keeping` the folder of those that are made by themselves.
"""
