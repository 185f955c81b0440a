"""``python -m topicfactors``."""

from topicfactors.cli.main import main

if __name__ == "__main__":
    main()
