"""``python -m logit_stats`` is the command ``logit-stats``."""

from logit_stats.cli import main

if __name__ == "__main__":
    main(prog_name="logit-stats")
