"""Trains the networks of bitpath's lib/architectures and writes its model files. See ../README.md."""
