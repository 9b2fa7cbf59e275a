"""The messenger side: one folder for each kind of messenger, each independent of the others and of the house."""
