"""Requests in: the gRPC servicer and its statuses."""
