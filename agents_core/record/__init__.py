"""Floor 3: what was sent to a model, byte for byte, and how to read it back."""
