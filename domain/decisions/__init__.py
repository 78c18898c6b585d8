"""What is allowed: one module a family of decisions, one named function a rule."""
