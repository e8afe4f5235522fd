"""`hubctl submit`: one request, as Core would make it."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import click
from google.protobuf.message import Message

from hubctl.jobs import refuse_if_in_vain
from hubctl.options import json_option, profile_options, tenant_option
from hubctl.output import Output, as_dict
from hubctl.profile import Profile, Source
from hubctl.requests import find, operations, request, response_class
from hubctl.rpc import CALL_SECONDS, hub_channel
from mesh.authorization import full_method

OPERATIONS = ", ".join(sorted(operations()))


@click.command(help=f"Submits one request as Core. Exit code 1: in vain. OPERATION is one of {OPERATIONS}.")
@click.argument("operation")
@click.option("--provider", default="", help="The spoke to use; empty: the only one that offers it.")
@click.option("--account", default="", help="The account at the provider; empty: default.")
@click.option("--request-id", default="", help="Idempotency key; empty: a fresh one.")
@click.option("--wait", default=10.0, show_default=True, help="Seconds to wait for the result.")
@click.option(
    "--set", "fields", multiple=True, metavar="PATH=VALUE", help="A field; `name[]=…` adds to a list."
)
@click.option("--body", default="{}", help="The request as JSON.")
@tenant_option
@profile_options
@json_option
def submit(
    operation: str,
    provider: str,
    account: str,
    request_id: str,
    wait: float,
    fields: tuple[str, ...],
    body: str,
    tenant: str,
    source: Source,
    as_json: bool,
) -> None:
    """Submits one request."""
    method, profile = find(operation), source.profile()
    context = {
        "request_id": request_id or f"cli-{secrets.token_hex(8)}",
        "tenant": tenant or profile.tenant,
        "provider": provider,
        "account": account,
        "wait": f"{wait}s",
    }
    message = request(method, body, fields, context)
    response: Any = asyncio.run(call(profile, full_method(method), message, response_class(method)))
    show(Output(as_json=as_json), response)
    if response.HasField("job"):
        refuse_if_in_vain(response.job)


async def call(profile: Profile, path: str, message: Message, answers: type[Message]) -> Message:
    """Makes one typed call as Core."""
    async with hub_channel(profile, role="core") as channel:
        rpc = channel.unary_unary(
            path,
            request_serializer=type(message).SerializeToString,
            response_deserializer=answers.FromString,
        )
        response: Message = await rpc(message, timeout=CALL_SECONDS)
        return response


def show(output: Output, response: Any) -> None:
    """Prints a capability's response."""
    members = as_dict(response)
    about: dict[str, Any] = {name: members.pop(name) for name in ("job", "read") if name in members}
    for line in _lines(about):
        output.say(line)
    output.table(("field", "value"), [(k, v) for part in members.values() for k, v in part.items()])
    output.result({**about, **members})


def _lines(about: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "read" in about:
        age = about["read"].get("age")
        return [f"read {about['read']['read_id']}" + (f", said {age} ago" if age else "")]
    job = about["job"]
    state = f"job {job['job_id']} is {job['state'].removeprefix('JOB_STATE_')}"
    return [state, *(f"{job[k]}" for k in ("reason", "message") if job.get(k))]
