"""What a formula is worth: one table of rules, over numbers and over trees."""
