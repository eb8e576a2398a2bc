"""What is measured on any model's units, each analysis on its own."""
