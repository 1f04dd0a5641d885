"""CarRacing from pixels, with a fast drawing."""
