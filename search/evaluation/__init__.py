"""What a space is worth: coverage, recall of its index, R@k, accuracy, pace and size, as one chooses a model by."""
