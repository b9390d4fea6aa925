"""What there is before anything is trained: `trivium look` shows all of it, and the report's data section a part."""
