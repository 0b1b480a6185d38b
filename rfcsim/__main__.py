"""`python -m rfcsim`: the command."""

from rfcsim.cli import main

main()
