"""One page of HTML about a backtest, from its stored files alone: whole in itself, it opens without a network."""
