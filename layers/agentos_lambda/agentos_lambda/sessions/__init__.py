"""Conversations: sessions that are created, listed, read, changed and deleted by requests, besides by runs."""
