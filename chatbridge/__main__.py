"""`python -m chatbridge` is the same as the `chatbridge` command."""

from chatbridge.cli import main

if __name__ == "__main__":
    main()
