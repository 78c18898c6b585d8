"""Sends a loan's first commands to Loanbook by Kafka and waits for their answers.

Plain kafka-python, no code of Loanbook: `python docs/examples/send_commands.py 127.0.0.1:9092`.
Every command is a CloudEvent whose key is the loan's id; Loanbook answers each message once.
"""

import json
import sys
from uuid import uuid4

from kafka import KafkaConsumer, KafkaProducer

COMMANDS, OUTCOMES = "loanbook.commands.v1", "loanbook.outcomes.v1"
SOURCE = "urn:loanbook:development"  # as the sources file names it
WAIT_MS = 60_000


def command(kind: str, subject: str, on: str, data: dict[str, object]) -> dict[str, object]:
    """Make a CloudEvent; its id is the sender's own name for the command, never used twice."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "businessdate": on,
        "reasoncode": "example",
        "datacontenttype": "application/json",
        "data": data,
    }


def story(loan: str) -> list[dict[str, object]]:
    """Tell how a product is defined and a loan is applied for; the last command will be refused."""
    product = {
        "name": "Example loan",
        "conditions": {
            "currency": "USD",
            "method": "annuity",
            "day_count": "30/360-proportional",
            "amount_max": "40000",
            "rate_annual_max": "0.36",
            "instalments_max": 60,
        },
    }
    application = {
        "customer_id": "customer-1",
        "product_code": "EXAMPLE",
        "amount": "12000.00",
        "currency": "USD",
        "instalments": 36,
    }
    payment = {"payment_id": "p-1", "amount": "100.00", "currency": "USD"}
    return [
        command("product.define_version", "EXAMPLE", "2026-03-02", product),
        command("loan.apply", loan, "2026-03-02", application),
        command("loan.receive_payment", loan, "2026-03-02", payment),
    ]


def main(servers: str) -> None:
    """Send each command, wait for its answer and print it."""
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    answers = KafkaConsumer(
        OUTCOMES,
        bootstrap_servers=servers,
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # answers are published in transactions
        consumer_timeout_ms=WAIT_MS,
    )
    for event in story(str(uuid4())):
        sent = producer.send(
            COMMANDS,
            # Commands with one key are carried out in order; with different keys, wait between.
            key=str(event["subject"]).encode(),
            value=json.dumps(event).encode(),
            headers=[("content-type", b"application/cloudevents+json")],
        )
        sent.get(timeout=30)
        print(json.dumps(answer_to(event, answers)))
    answers.close()
    producer.close()


def answer_to(event: dict[str, object], answers: KafkaConsumer) -> object:
    """Wait for the answer to one command."""
    for record in answers:
        answer = json.loads(record.value)["data"]
        if (answer["source"], answer["id"]) == (SOURCE, event["id"]):
            return answer
    return sys.exit(f"no answer to {event['type']} within {WAIT_MS} ms")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092")
