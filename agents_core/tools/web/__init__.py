"""Reaching the web for an agent: pages fetched from public addresses only, and searches."""
