"""The forms a report is handed over in: one file for each medium; the content is the same for all."""
