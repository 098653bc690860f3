"""The HTTP client of the sources: pacing, retries, circuit breaker."""
