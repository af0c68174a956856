"""Why table 3's networks lose three times what the paper's lose: what could spare the old head's threshold."""
