"""The strategies that come with deepcolor, a room each."""
