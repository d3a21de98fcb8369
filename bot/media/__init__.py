"""Bytes of strangers turned into upright, bounded, model-ready pictures."""
