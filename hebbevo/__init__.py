"""hebbevo searches for learning rules: evolution tunes Hebbian coefficients, lifetimes rewrite the weights."""
