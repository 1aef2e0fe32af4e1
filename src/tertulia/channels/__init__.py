"""Connected accounts and the facts: what came in, what went out. It decides nothing; rooms above read it."""
