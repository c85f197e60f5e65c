"""The forms in which a document is set."""
