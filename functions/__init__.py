"""The pipeline around the library: what runs in Lambda and in the container."""
