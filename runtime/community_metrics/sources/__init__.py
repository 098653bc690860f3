"""Registries: each turns subjects into observations."""
