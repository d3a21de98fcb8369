"""What reads the text in a picture."""
