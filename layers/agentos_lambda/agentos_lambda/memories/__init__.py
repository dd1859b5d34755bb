"""Memories of users, as requests list, read and change them, besides runs."""
