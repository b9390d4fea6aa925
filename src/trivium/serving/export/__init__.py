"""A trained strategy as a folder that answers without torch: a graph, what stands before it, its card and its code."""
