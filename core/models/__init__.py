"""Small networks for digits, one architecture a file; `core.models.registry` names them."""
