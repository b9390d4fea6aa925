"""A trained model as people use it: raw values of the streams in, answers of the task out."""
