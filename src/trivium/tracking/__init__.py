"""The MLflow view of the outs. Only this package and `trivium.serving` import MLflow, and only inside functions."""
