"""Which status a refusal of the audit service gets."""

from collections.abc import Mapping

import grpc

from audit_service import errors

DOMAIN = "audit.integration"

STATUSES: Mapping[type[Exception], grpc.StatusCode] = {
    errors.EntryNotFound: grpc.StatusCode.NOT_FOUND,
    errors.JobNotInLog: grpc.StatusCode.NOT_FOUND,
    errors.SizeBeyondLog: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.LogUnavailable: grpc.StatusCode.UNAVAILABLE,
}
