"""Which status goes with which refusal: the one table of the hub."""

from collections.abc import Mapping

from grpc import StatusCode

from hub import errors

DOMAIN = "hub.integration"

STATUSES: Mapping[type[Exception], StatusCode] = {
    errors.KeyReused: StatusCode.ALREADY_EXISTS,
    errors.JobNotFound: StatusCode.NOT_FOUND,
    errors.NotCancellable: StatusCode.FAILED_PRECONDITION,
    errors.LaneHeld: StatusCode.UNAVAILABLE,
    errors.ReadsBusy: StatusCode.RESOURCE_EXHAUSTED,
    errors.LogAway: StatusCode.UNAVAILABLE,
    errors.IntentRefused: StatusCode.FAILED_PRECONDITION,
    errors.ReadDeclined: StatusCode.FAILED_PRECONDITION,
    errors.ReadImpossible: StatusCode.FAILED_PRECONDITION,
    errors.ReadUnanswered: StatusCode.UNAVAILABLE,
    errors.ReadTooLate: StatusCode.DEADLINE_EXCEEDED,
    errors.UnknownLane: StatusCode.NOT_FOUND,
    errors.LetterNotFound: StatusCode.NOT_FOUND,
    errors.NotResolvable: StatusCode.FAILED_PRECONDITION,
    errors.PlanNotFound: StatusCode.NOT_FOUND,
    errors.PlanRefused: StatusCode.INVALID_ARGUMENT,
    errors.PlanTooLarge: StatusCode.INVALID_ARGUMENT,
    errors.PlanNotApprovable: StatusCode.FAILED_PRECONDITION,
    errors.SecondPersonNeeded: StatusCode.FAILED_PRECONDITION,
    errors.UnknownProvider: StatusCode.INVALID_ARGUMENT,
    errors.ProviderNotReady: StatusCode.UNAVAILABLE,
    errors.UnknownAccount: StatusCode.INVALID_ARGUMENT,
    errors.ProviderAmbiguous: StatusCode.INVALID_ARGUMENT,
    errors.TenantNotPermitted: StatusCode.PERMISSION_DENIED,
    errors.AccountNotAllowed: StatusCode.PERMISSION_DENIED,
    errors.ReferenceNotYours: StatusCode.FAILED_PRECONDITION,
    errors.AlreadyExpired: StatusCode.INVALID_ARGUMENT,
    errors.Overloaded: StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: StatusCode.UNAVAILABLE,
    errors.TooManyStreams: StatusCode.RESOURCE_EXHAUSTED,
    errors.BacklogFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.QuotaExceeded: StatusCode.RESOURCE_EXHAUSTED,
    errors.LaneClosed: StatusCode.UNAVAILABLE,
    errors.CursorOutOfRange: StatusCode.OUT_OF_RANGE,
}
