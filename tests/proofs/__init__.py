"""The full tables, which `make proofs` runs; the core cases of each are in the test suite."""
