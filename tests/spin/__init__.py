"""The race argument before an outside judge: a hand-written model, searched by SPIN."""
