"""Small networks for digits, one architecture a file; `core.models.registry` names them."""

from core.models.registry import MODELS, build, check, describe, parameters, title
from core.models.settings import DataFormat, Descent, Option, Settings

__all__ = [
    "MODELS",
    "DataFormat",
    "Descent",
    "Option",
    "Settings",
    "build",
    "check",
    "describe",
    "parameters",
    "title",
]
