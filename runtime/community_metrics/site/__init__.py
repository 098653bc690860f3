"""The page as static files: the answers of the API, frozen, so that it opens without a server."""
