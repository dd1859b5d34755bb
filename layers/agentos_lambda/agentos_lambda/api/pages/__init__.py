"""The pages that show the API document: files that the build compresses, and the HTML around them."""
