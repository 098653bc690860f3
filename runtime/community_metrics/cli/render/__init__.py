"""What a person sees in the terminal: pure data to rich renderables, and the same data as JSON."""
