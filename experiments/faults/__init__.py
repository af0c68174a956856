"""What the checks are worth: realistic faults, planted one by one and ever smaller, and who sees them."""
