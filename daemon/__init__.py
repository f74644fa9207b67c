"""tellwhy: alerts that say why, from your own machine."""

__version__ = "0.1.0"
