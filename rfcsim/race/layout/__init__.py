"""The arrays of the explorer, beside those of the model: a module for the columns of each."""
