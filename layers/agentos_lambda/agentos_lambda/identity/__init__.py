"""Who is asking, and what they may do: principals, scopes, and tokens.

Nothing here knows a web framework or a store. ``identity/tokens`` alone imports PyJWT and cryptography, and is imported
only where tokens are configured.
"""
