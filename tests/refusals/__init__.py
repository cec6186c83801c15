"""What a saved plan is refused with, word by word."""
