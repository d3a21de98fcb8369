"""Loupe: looks at photos with the people who post them."""
