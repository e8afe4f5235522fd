"""An OTLP receiver: the collector's end of the protocol, keeping the spans that arrive."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it arrived; ids in hex."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Listens on a free port of loopback."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._spans: list[ReceivedSpan] = []
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> "Receiver":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

    def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Keeps what arrives."""
        with self._arrived:
            for group in request.resource_spans:
                facts = {a.key: a.value.string_value for a in group.resource.attributes}
                self._spans += [_span(facts, span) for scope in group.scope_spans for span in scope.spans]
            self._arrived.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def until(self, enough: Callable[[list[ReceivedSpan]], bool], *, seconds: float) -> list[ReceivedSpan]:
        """All spans, once there are enough; those that there are when the time is up."""
        with self._arrived:
            self._arrived.wait_for(lambda: enough(self._spans), seconds)
            return list(self._spans)


def _span(facts: Mapping[str, str], span: object) -> ReceivedSpan:
    return ReceivedSpan(
        service=facts.get("service.name", ""),
        name=span.name,  # type: ignore[attr-defined]
        trace_id=span.trace_id.hex(),  # type: ignore[attr-defined]
        span_id=span.span_id.hex(),  # type: ignore[attr-defined]
        parent_id=span.parent_span_id.hex(),  # type: ignore[attr-defined]
        links=tuple(link.trace_id.hex() for link in span.links),  # type: ignore[attr-defined]
    )
