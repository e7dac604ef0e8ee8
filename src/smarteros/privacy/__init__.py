"""What the law on personal data asks for (Ley 21.719): telling, erasing, leaving alone, keeping no longer."""
