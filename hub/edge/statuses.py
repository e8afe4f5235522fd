"""Which status goes with which refusal: the one table of the hub."""

from collections.abc import Mapping

from grpc import StatusCode

from hub.jobs import errors

DOMAIN = "hub.integration"

STATUSES: Mapping[type[Exception], StatusCode] = {
    errors.KeyReused: StatusCode.ALREADY_EXISTS,
    errors.JobNotFound: StatusCode.NOT_FOUND,
    errors.NotCancellable: StatusCode.FAILED_PRECONDITION,
    errors.UnknownProvider: StatusCode.INVALID_ARGUMENT,
    errors.UnknownAccount: StatusCode.INVALID_ARGUMENT,
    errors.ProviderAmbiguous: StatusCode.INVALID_ARGUMENT,
    errors.TenantNotPermitted: StatusCode.PERMISSION_DENIED,
    errors.AlreadyExpired: StatusCode.INVALID_ARGUMENT,
    errors.Overloaded: StatusCode.RESOURCE_EXHAUSTED,
}
