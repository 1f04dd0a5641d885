"""Where lifetimes run: threads, workers on Ray, devices; scheduling and tuning."""
