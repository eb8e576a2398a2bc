"""The pages of the dashboard, and in `pages.parts` what they are made of."""
