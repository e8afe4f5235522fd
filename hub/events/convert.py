"""From what is told to the contract's messages."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hub.events.told import EndpointView, Side, Told
from hub.jobs.agreeing import Sum
from integration.common.v1.money_pb2 import Money
from integration.events.v1 import event_pb2, events_service_pb2
from integration.jobs.v1 import job_pb2


def told_to_proto(told: Told) -> event_pb2.Event:
    """An event as Core sees it."""
    provider, account = told.lane.split("/", 1)
    return event_pb2.Event(
        cursor=told.cursor,
        create_time=_stamp(told.kept_at),
        event_time=_stamp(told.happened_at) if told.happened_at else None,
        tenant=told.tenant,
        provider=provider,
        account=account,
        event_id=told.event_id,
        type=told.type,
        kind=event_pb2.EventKind.Name(int(told.kind)),
        job=_job(told) if told.job_id else None,
        provider_said=_provider(told.provider),
        differs=told.differs,
        proposed_action=event_pb2.ProposedAction.Name(int(told.proposal)),
    )


def endpoint_to_proto(view: EndpointView) -> events_service_pb2.Endpoint:
    """An endpoint as it stands."""
    return events_service_pb2.Endpoint(
        tenant=view.tenant,
        waiting=view.waiting,
        given_up=view.given_up,
        oldest_time=_stamp(view.oldest) if view.oldest else None,
        reason=view.reason,
        off_time=_stamp(view.off_at) if view.off_at else None,
    )


def _job(told: Told) -> event_pb2.JobSide:
    return event_pb2.JobSide(
        job_id=told.job_id,
        operation=told.operation,
        state=job_pb2.JobState.Name(int(told.state or 0)),
        provider_reference=told.job.reference,
        amount=_money(told.job.amount),
    )


def _provider(side: Side) -> event_pb2.ProviderSide:
    return event_pb2.ProviderSide(
        outcome=side.word, provider_reference=side.reference, amount=_money(side.amount)
    )


def _money(amount: Sum | None) -> Money | None:
    return Money(minor_units=amount.minor_units, currency_code=amount.currency) if amount else None


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
