"""Verification of tokens, with PyJWT and cryptography: imported only where tokens are configured."""
