"""Files that travel with messages: what they are, where they are kept, and the links by which they are fetched."""
