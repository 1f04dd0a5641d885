"""The back end of any device in plain torch, the reference of the GPU kernel."""
