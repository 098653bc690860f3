"""Pictures as SVG text: charts, badges and sparklines. Pure: numbers and words in, one picture out.

The API serves them, and other faces may put the same pictures into their own pages.
"""
