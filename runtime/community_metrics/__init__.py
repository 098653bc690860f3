"""community-metrics: downloads and stars of open-source packages, with history, never invented."""
