"""What the product must withstand from those who call it."""
