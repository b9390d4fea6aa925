"""A trained model's answers without torch: raw values of the streams in, answers of the task out.

It imports neither torch nor transformers, and pyarrow only for tables. `python -m trivium.runtime FOLDER` answers.
"""
