"""Keys, signatures and time stamps. What is signed is not looked into here."""
