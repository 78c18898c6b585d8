"""The tests, against real PostgreSQL and real Apache Kafka."""
