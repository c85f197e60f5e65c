"""What is done to a program between the record and its source, one idea a file."""
