"""Training colornet: photographs in, weights of a network out, and a log of the way there."""
