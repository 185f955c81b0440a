"""What the fitted model says: words, and scores of them."""
