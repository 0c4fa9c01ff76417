"""Purchase advice: which inputs to buy, when, how much, and up to which price."""
