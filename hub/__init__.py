"""The hub: takes typed requests, makes them durable jobs and dispatches them to spokes."""
