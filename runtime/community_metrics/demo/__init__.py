"""The invented products of `community-metrics demo`: a seeded generator, and runs that store its values."""
