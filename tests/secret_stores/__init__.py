"""All schemes of references at once, each on its real server."""
