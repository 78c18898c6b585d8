"""Adapters to PostgreSQL, Kafka and the event library. They hold no business rules."""
