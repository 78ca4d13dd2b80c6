"""``python -m deepcolor``."""

from deepcolor.cli import main

main()
