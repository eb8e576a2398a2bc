"""What a network does with a part removed, replaced or held, beside matched controls."""
