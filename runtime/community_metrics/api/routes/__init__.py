"""One module for each group of routes; a route formats what `views` returns."""
