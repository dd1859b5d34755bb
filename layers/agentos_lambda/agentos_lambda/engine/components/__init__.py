"""The deployer's components: loading them, what they are made of, and the manifest that describes them."""
