"""The public test kit: builders, fakes, and the laws every implementation of a port keeps."""
