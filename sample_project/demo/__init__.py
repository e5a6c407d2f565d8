"""What plays the project: none of it belongs to the application."""
