"""The demo: three shops on one machine, and a page on which to play their customers."""
