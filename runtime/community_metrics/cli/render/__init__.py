"""From views to what a terminal shows: pure functions that return rich renderables."""
