"""The truth table of `verify`: defects and the codes that find them; right set-ups that raise nothing."""
