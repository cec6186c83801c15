"""What the reconciler decides: pure values and pure functions, no input or output."""
