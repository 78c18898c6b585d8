"""The real book: 10,000 Lending Club loans of early 2018, told as the lives they had."""
