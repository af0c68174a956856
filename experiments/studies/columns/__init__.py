"""Tasks one after another: a column for each, next to earlier ones, or one network that is tuned again and again."""
