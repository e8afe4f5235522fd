"""What the offline verifier is made of, beside `audit_service.verify`: nothing else of the product."""
