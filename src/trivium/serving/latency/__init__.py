"""How long exported models take to answer: made, and timed side by side."""
