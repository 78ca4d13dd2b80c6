"""The page: visitors upload photographs, watch them being colored and download them."""
