"""Tasks one after another: a column for each beside all earlier ones, or one network that is tuned again and again."""
