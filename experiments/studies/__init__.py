"""The studies, each a description that the frame turns into results, tables and pictures."""
