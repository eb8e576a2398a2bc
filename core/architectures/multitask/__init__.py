"""Networks with several heads: which task each shared unit serves."""
