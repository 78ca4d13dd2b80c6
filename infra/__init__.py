"""What runs the rest: container images, the local stack, deployment. Nothing imports it."""
