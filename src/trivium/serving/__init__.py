"""A trained model as people use it: raw text, image and audio in, a label with its probabilities out."""
