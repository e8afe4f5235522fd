"""Logs as JSON on stderr, and traces by OTLP where an endpoint is set; without one they cost nothing."""

import copy
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation import grpc as tracing
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pythonjsonlogger.json import JsonFormatter

from mesh import told
from mesh.bare_spans import BareSpans
from mesh.settings import Environment

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXPORT_EVERY_MS = 1_000
EXPORT_TIMEOUT_SECONDS = 2.0
UNTRACED = ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")

# The library's type is of one option with a text, but it passes on what gRPC takes.
_DIRECT: Any = (("grpc.enable_http_proxy", 0),)
_CONTEXT = TraceContextTextMapPropagator()
_NO_SPAN = NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)


class Telemetry:
    """A process's logs and traces. Trace context crosses as `traceparent`; baggage never does."""

    def __init__(self, provider: TracerProvider | None, own: told.Trees = told.MESH) -> None:
        self._provider = provider
        self._own = own
        self.tracer: Tracer = provider.get_tracer("mesh") if provider is not None else trace.NoOpTracer()

    @classmethod
    def start(
        cls,
        service: str,
        instance: str,
        *,
        own: told.Trees = told.MESH,
        environment: Environment | None = None,
    ) -> "Telemetry":
        """Sends the process's logs to stderr, and its spans to the endpoint if there is one.

        Errors of other trees than `own` are told by their class.
        """
        _log_as_json(service, own)
        endpoint = (environment or Environment.of_process()).text(ENDPOINT, default="")
        if not endpoint:
            return cls(None, own)
        propagate.set_global_textmap(_CONTEXT)
        resource = Resource.create({"service.name": service, "service.instance.id": instance})
        provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(
            endpoint=endpoint,
            insecure=endpoint.startswith("http://"),
            timeout=EXPORT_TIMEOUT_SECONDS,
            channel_options=_DIRECT,
        )
        bare = BareSpans(exporter)
        provider.add_span_processor(BatchSpanProcessor(bare, schedule_delay_millis=EXPORT_EVERY_MS))
        return cls(provider, own)

    def server_interceptors(self) -> Sequence[Any]:
        """For a grpc.aio server; to stand before all others."""
        if self._provider is None:
            return ()
        make: Any = tracing.aio_server_interceptor
        return (make(tracer_provider=self._provider, filter_=_traced()),)

    def client_interceptors(self) -> Sequence[Any]:
        """For a grpc.aio channel."""
        if self._provider is None:
            return ()
        make: Any = tracing.aio_client_interceptors
        return tuple(make(tracer_provider=self._provider, filter_=_traced()))

    def carrier(self) -> dict[str, str]:
        """The current span as `traceparent` and perhaps `tracestate`; empty without one."""
        carrier: dict[str, str] = {}
        if self._provider is not None:
            _CONTEXT.inject(carrier)
        return carrier

    def trace_id(self) -> str:
        """The current trace's id, 32 hex digits; "" without one."""
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""

    @contextmanager
    def span(
        self,
        name: str,
        *,
        carrier: Mapping[str, str] | None = None,
        links: Sequence[Mapping[str, str]] = (),
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Iterator[Span]:
        """A span around a block, below the carrier's span or else the current one, linked to other carriers.

        An error marks the span with its class, never with its text.
        """
        if self._provider is None:
            yield _NO_SPAN
            return
        parent = _CONTEXT.extract(carrier) if carrier else None
        with self.tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            links=_links(links),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", told.kind(error, self._own))
                span.set_status(trace.StatusCode.ERROR)
                raise

    def shutdown(self) -> None:
        """Sends what is left, which blocks for some seconds if nobody listens; later spans are lost."""
        if self._provider is not None:
            self._provider.shutdown()


def _links(carriers: Sequence[Mapping[str, str]]) -> list[Link]:
    contexts = [trace.get_current_span(_CONTEXT.extract(c)).get_span_context() for c in carriers if c]
    return [Link(context) for context in contexts if context.is_valid]


def _traced() -> Any:
    filters: Any = tracing.filters
    return filters.negate(filters.any_of(*(filters.service_name(name) for name in UNTRACED)))


class _Formatter(JsonFormatter):
    """One line of JSON per record: time, level, logger, message, service, the trace, and the extras."""

    def __init__(self, service: str, own: told.Trees) -> None:
        super().__init__("%(message)s", json_ensure_ascii=False)
        self._service = service
        self._own = own

    def format(self, record: logging.LogRecord) -> str:
        """The line, with errors told wherever they stand in the record."""
        record = copy.copy(record)
        for name, value in vars(record).items():
            if isinstance(value, BaseException):
                setattr(record, name, told.brief(value, self._own))
        if isinstance(record.args, tuple):
            record.args = tuple(self._fit(value) for value in record.args)
        elif record.args:
            record.args = {name: self._fit(value) for name, value in record.args.items()}
        record.msg = self._fit(record.msg)
        if record.name == "asyncio":
            # What follows its first line shows tasks with the errors that they ended in.
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
        return super().format(record)

    def _fit(self, value: object) -> object:
        return told.brief(value, self._own) if isinstance(value, BaseException) else value

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Adds our fields to the record's."""
        at = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        super().add_fields(log_data, record, message_dict)
        log_data["service"] = self._service
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            log_data["trace_id"] = trace.format_trace_id(context.trace_id)
            log_data["span_id"] = trace.format_span_id(context.span_id)

    def formatException(self, exc_info: Any) -> str:  # noqa: N802 - the library's name
        """Where it broke and what the errors are."""
        return told.whole(exc_info[1], self._own)


def _log_as_json(service: str, own: told.Trees) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(service, own))
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, _Formatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
