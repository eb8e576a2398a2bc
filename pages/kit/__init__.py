"""What every page is built from: links, controls, tables, grids, and what is running."""
