"""What knows that it runs on Lambda: the handler around an app, the Runtime API loop, settings, and the wiring."""
