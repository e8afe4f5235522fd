"""The rules of the contracts, and each kind of rule on a schema made for it."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from integration.audit.v1 import audit_service_pb2
from integration.common.v1 import rules_pb2  # noqa: F401 - the schema below needs it
from integration.jobs.v1 import job_pb2, jobs_service_pb2
from integration.messaging.v1 import messaging_service_pb2
from integration.payments.v1 import payments_service_pb2
from integration.spoke.v1 import spoke_service_pb2
from mesh.validation import violations

RULES = "options { [integration.common.v1.rules] "
SCHEMA = f"""
name: "tests/mesh/schema.proto"
package: "tests.mesh"
syntax: "proto3"
dependency: "integration/common/v1/rules.proto"
enum_type {{
  name: "Colour"
  value {{ name: "COLOUR_UNSPECIFIED" number: 0 }}
  value {{ name: "RED" number: 1 }}
}}
message_type {{
  name: "Thing"
  field {{ name: "count" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL proto3_optional: true oneof_index: 0
          {RULES} {{ required: true gte: 1 lte: 5 }} }} }}
  field {{ name: "agreed" number: 2 type: TYPE_BOOL label: LABEL_OPTIONAL {RULES} {{ required: true }} }} }}
  field {{ name: "colour" number: 3 type: TYPE_ENUM type_name: ".tests.mesh.Colour" label: LABEL_OPTIONAL
          {RULES} {{ required: true }} }} }}
  field {{ name: "child" number: 4 type: TYPE_MESSAGE type_name: ".tests.mesh.Thing" label: LABEL_OPTIONAL }}
  field {{ name: "by_name" number: 5 type: TYPE_MESSAGE type_name: ".tests.mesh.Thing.ByNameEntry"
          label: LABEL_REPEATED }}
  field {{ name: "at_least" number: 6 type: TYPE_STRING label: LABEL_OPTIONAL {RULES} {{ min_len: 2 }} }} }}
  field {{ name: "share" number: 7 type: TYPE_DOUBLE label: LABEL_OPTIONAL {RULES} {{ gte: 0 lte: 1 }} }} }}
  field {{ name: "free" number: 8 type: TYPE_STRING label: LABEL_OPTIONAL }}
  oneof_decl {{ name: "_count" }}
  nested_type {{
    name: "ByNameEntry"
    field {{ name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }}
    field {{ name: "value" number: 2 type: TYPE_MESSAGE type_name: ".tests.mesh.Thing"
            label: LABEL_OPTIONAL }}
    options {{ map_entry: true }}
  }}
}}
"""


def _thing_class() -> type[Any]:
    file = text_format.Parse(SCHEMA, descriptor_pb2.FileDescriptorProto())
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.mesh.Thing"))


Thing = _thing_class()


def _thing(**fields: Any) -> Any:
    return Thing(**{"count": 1, "agreed": True, "colour": 1, "at_least": "ok", **fields})


def _charge() -> payments_service_pb2.ChargeRequest:
    request = payments_service_pb2.ChargeRequest(payment_method="pm_card_visa")
    request.context.request_id, request.context.tenant = "order-4711", "acme"
    request.amount.minor_units, request.amount.currency_code = 1999, "EUR"
    return request


def _email() -> messaging_service_pb2.SendEmailRequest:
    return messaging_service_pb2.SendEmailRequest(
        context=_charge().context, to_addresses=["a@example.org"], subject="Hello", text_body="Hello"
    )


@pytest.mark.parametrize("message", [_charge(), _email(), _thing(), _thing(child=_thing())], ids=type)
def test_a_message_within_its_rules_has_no_violation(message: Any) -> None:
    assert violations(message, refuse_unknown=True) == []


def test_an_empty_message_lacks_all_that_must_be_set() -> None:
    found = violations(payments_service_pb2.ChargeRequest())
    assert [v.field for v in found] == ["payment_method", "context", "amount"]
    assert {v.description for v in found} == {"must be set"}


Edit = Callable[[Any], object]


def _set(path: str, value: object) -> Edit:
    *parents, name = path.split(".")

    def edit(message: Any) -> None:
        for parent in parents:
            message = getattr(message, parent)
        setattr(message, name, value)

    return edit


CHARGES: list[tuple[Edit, str]] = [
    (_set("context.request_id", ""), "context.request_id"),
    (_set("context.request_id", "a" * 129), "context.request_id"),
    (_set("context.request_id", "has space"), "context.request_id"),
    (_set("context.request_id", "order-1\n"), "context.request_id"),
    (_set("context.request_id", "1'; drop table job; --"), "context.request_id"),
    (_set("context.request_id", "../../etc/passwd"), "context.request_id"),
    (_set("context.tenant", "Acme"), "context.tenant"),
    (_set("context.priority", 10), "context.priority"),
    (_set("context.priority", -1), "context.priority"),
    (_set("context.retry.max_attempts", 101), "context.retry.max_attempts"),
    (_set("context.retry.max_backoff.seconds", 86401), "context.retry.max_backoff"),
    (_set("context.retry.initial_backoff.nanos", 999_999), "context.retry.initial_backoff"),
    (_set("context.wait.seconds", 31), "context.wait"),
    (_set("context.wait.seconds", -1), "context.wait"),
    (_set("context.wait.nanos", 1_000_000_000), "context.wait"),
    (_set("context.expire_time.nanos", -1), "context.expire_time"),
    (_set("context.expire_time.seconds", 253_402_300_800), "context.expire_time"),
    (lambda m: m.context.labels.update({"Bad Key": "x"}), "context.labels[?]"),
    (lambda m: m.context.labels.update({"ok": "x" * 129}), "context.labels[ok]"),
    (lambda m: m.context.labels.update({"ok": "a\x00b"}), "context.labels[ok]"),
    (lambda m: m.context.labels.update({f"k{i}": "" for i in range(17)}), "context.labels"),
    (_set("amount.minor_units", 0), "amount.minor_units"),
    (_set("amount.minor_units", -1), "amount.minor_units"),
    (_set("amount.minor_units", 2**63 - 1), "amount.minor_units"),
    (_set("amount.currency_code", "eur"), "amount.currency_code"),
    (_set("amount.currency_code", "EUR "), "amount.currency_code"),
    (_set("amount.currency_code", "EUR\n"), "amount.currency_code"),
]


@pytest.mark.parametrize(("edit", "field"), CHARGES)
def test_a_charge_out_of_range_is_named_by_its_path(edit: Edit, field: str) -> None:
    request = _charge()
    edit(request)
    assert [v.field for v in violations(request)] == [field]


EMAILS: list[tuple[Edit, str]] = [
    (lambda m: m.to_addresses.extend(["b@example.org", "c@"]), "to_addresses[2]"),
    (lambda m: m.to_addresses.append(""), "to_addresses[1]"),
    (lambda m: m.to_addresses.extend(["b@example.org"] * 50), "to_addresses"),
    (lambda m: m.ClearField("to_addresses"), "to_addresses"),
    (_set("from_address", "a@example.org\r\nBcc: all@example.org"), "from_address"),
    (_set("subject", "Hello\r\nBcc: all@example.org"), "subject"),
    (_set("subject", "tab\there"), "subject"),
    (_set("subject", "next\u2028line"), "subject"),
    (_set("subject", "del\x7f"), "subject"),
    (_set("subject", "c1\x9b31m"), "subject"),
    (_set("subject", "invoice\u202egpj.exe"), "subject"),
    (_set("subject", "isolate\u2066x"), "subject"),
    (_set("text_body", "nul\x00"), "text_body"),
    (_set("text_body", "esc\x1b[31m"), "text_body"),
    (_set("text_body", "override\u202d"), "text_body"),
]


@pytest.mark.parametrize(("edit", "field"), EMAILS)
def test_an_email_that_could_inject_something_is_named_by_its_path(edit: Edit, field: str) -> None:
    request = _email()
    edit(request)
    assert [v.field for v in violations(request)] == [field]


def test_line_breaks_tabs_and_every_script_pass_where_they_may() -> None:
    request = _email()
    request.text_body = "Grüße,\r\n\tשלום 你好 👋🏽\n"
    request.subject = "Grüße שלום 你好 👋🏽\u200d\u200f"
    assert violations(request) == []


@pytest.mark.parametrize("number", [99, -1])
def test_an_unknown_number_of_an_enum_is_refused_wherever_it_is(number: int) -> None:
    request = jobs_service_pb2.ListJobsRequest(tenant="acme")
    request.states.extend([job_pb2.JOB_STATE_DEAD, number])  # type: ignore[list-item]
    assert violations(request) == [("states[1]", "is not a value of its enum")]
    thing = _thing(child=_thing(colour=number))
    assert violations(thing) == [("child.colour", "is not a value of its enum")]


@pytest.mark.parametrize(
    ("thing", "found"),
    [
        (Thing(agreed=True, colour=1, at_least="ok"), [("count", "must be set")]),
        (_thing(count=0), [("count", "must be set")]),
        (_thing(count=6), [("count", "must be 1 to 5")]),
        (_thing(agreed=False), [("agreed", "must be set")]),
        (_thing(colour=0), [("colour", "must be set")]),
        (_thing(at_least=""), [("at_least", "must hold at least 2 characters")]),
        (_thing(at_least="x"), [("at_least", "must hold at least 2 characters")]),
        (_thing(share=1.01), [("share", "must be 0 to 1")]),
        (_thing(share=float("nan")), [("share", "must be 0 to 1")]),
        (_thing(free="bell\a"), [("free", "holds a control character or a bidirectional override")]),
        (_thing(child=_thing(child=_thing(count=9))), [("child.child.count", "must be 1 to 5")]),
        (_thing(by_name={"a": _thing(count=9)}), [("by_name[a].count", "must be 1 to 5")]),
        (
            _thing(by_name={"\x1b": _thing()}),
            [("by_name[?]", "key holds a control character or a bidirectional override")],
        ),
    ],
)
def test_each_kind_of_rule_holds(thing: Any, found: list[tuple[str, str]]) -> None:
    assert violations(thing) == found


def test_bytes_and_lists_have_lengths_in_their_own_units() -> None:
    request = audit_service_pb2.AppendRequest(envelopes=[b"x", b"", b"x" * 24577])
    assert violations(request) == [
        ("envelopes[1]", "must be set"),
        ("envelopes[2]", "must hold at most 24576 bytes"),
    ]
    attempt = spoke_service_pb2.Attempt(salt=b"x" * 31)
    assert ("salt", "must hold 32 bytes") in violations(attempt)


def test_a_violation_never_holds_the_value() -> None:
    request = _charge()
    request.payment_method = "4242 4242 4242 4242"
    request.context.labels["4242 4242"] = "hunter2\x00"
    assert "4242" not in repr(violations(request))
    assert "hunter2" not in repr(violations(request))


STRANGER = b"\x98\x06\x01"


def test_fields_outside_the_schema_are_found_wherever_they_are_but_only_if_asked_for() -> None:
    charge = _charge()
    context = type(charge.context).FromString(charge.context.SerializeToString() + STRANGER)
    charge.context.CopyFrom(context)
    charge = type(charge).FromString(charge.SerializeToString() + STRANGER)
    assert violations(charge) == []
    found = violations(charge, refuse_unknown=True)
    assert [v.field for v in found] == ["99", "context.99"]
    inner = Thing.FromString(_thing().SerializeToString() + STRANGER)
    assert [v.field for v in violations(_thing(by_name={"a": inner}), refuse_unknown=True)] == [
        "by_name[a].99"
    ]
