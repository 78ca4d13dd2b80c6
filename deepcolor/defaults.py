"""What holds where nobody says otherwise. Nothing heavy: the command line reads this first."""

STRATEGY = "colornet"
MOST_PIXELS = 200_000_000  # of a photograph; larger ones are not decoded
