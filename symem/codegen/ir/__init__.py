"""What a program is made of: array nodes with named axes, instructions, the program itself."""
