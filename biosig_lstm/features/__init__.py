"""Features: pure functions and frozen steps, Windows to Windows, one file for each family."""

from biosig_lstm.steps import Step, find_steps

__all__ = ["steps"]


def steps() -> dict[str, type[Step]]:
    """Return the feature steps of every module in this folder, by class name."""
    return find_steps(__name__)
