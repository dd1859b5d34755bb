raise ImportError("nothing to see here")
