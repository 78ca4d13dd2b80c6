"""The pipeline around the library: what runs in Lambda, in the container, and what they agree on."""
