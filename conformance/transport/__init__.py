"""Everything that touches the network, and the pure pieces it is made of."""
