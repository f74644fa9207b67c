"""`python -m daemon` is the `tellwhy` command."""

from daemon.cli import main

if __name__ == "__main__":
    main()
