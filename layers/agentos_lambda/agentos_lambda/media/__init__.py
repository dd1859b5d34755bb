"""Files that a caller names by URL: where such a URL may lead, and the one way by which this process fetches it."""
