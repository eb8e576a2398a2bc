"""LSTM and GRU: what gates do, and when the class can be read."""
