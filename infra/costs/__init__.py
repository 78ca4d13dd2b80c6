"""What a thousand photographs cost and how long they wait: a simulation of the fleet."""
