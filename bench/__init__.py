"""Speed, always as a ratio to a plain version of the same work, measured side by side."""
