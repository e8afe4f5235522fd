"""Following a plan until it ends, however the hub fares meanwhile."""

import asyncio
from typing import Any

from hubctl.desk import Stub
from hubctl.errors import Failed, NotReady
from hubctl.output import Output
from hubctl.plan_view import progress
from hubctl.rpc import CALL_SECONDS, readable_errors
from hubctl.words import name_of, typed
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1 import plan_pb2 as plans
from integration.operations.v1.plan_pb2 import Plan
from mesh.clock import Clock

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
ENDED = {
    plans.PLAN_STATE_STOPPED,
    plans.PLAN_STATE_FINISHED,
    plans.PLAN_STATE_LAPSED,
    plans.PLAN_STATE_ABANDONED,
}


class Watch:
    """One line whenever something has changed."""

    def __init__(self, stub: Stub, output: Output, clock: Clock) -> None:
        self._stub = stub
        self._output = output
        self._clock = clock
        self._said = ""
        self._answered = clock.monotonic()

    async def until_ended(self, plan_id: str) -> Plan:
        """Follows the plan; raises NotReady if the hub is silent for two minutes."""
        while True:
            plan = await self._look(plan_id)
            if plan is not None and plan.state in ENDED:
                return plan
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self, plan_id: str) -> Plan | None:
        request = messages.GetPlanRequest(plan_id=plan_id)
        try:
            with readable_errors("hub"):
                answer: Any = await self._stub.GetPlan(request, timeout=CALL_SECONDS)
        except NotReady:
            if self._clock.monotonic() - self._answered > PATIENCE_SECONDS:
                raise
            self._say("the hub does not answer; asking again …")
            return None
        self._answered = self._clock.monotonic()
        plan: Plan = answer.plan
        self._say(line(plan))
        return plan

    def _say(self, text: str) -> None:
        if text != self._said:
            self._output.say(f"{self._clock.now():%H:%M:%SZ}  {text}")
            self._said = text


def line(plan: Plan) -> str:
    """How a plan stands, in one line."""
    words = (name_of(plans.PlanState, plan.state), progress(plan.counts), plan.note)
    return "  ".join(word for word in words if word)


def verdict(plan: Plan) -> None:
    """Raises Failed unless the plan has finished and every item came through."""
    if plan.state != plans.PLAN_STATE_FINISHED:
        state = name_of(plans.PlanState, plan.state)
        raise Failed(": ".join(filter(None, (f"plan {plan.plan_id} is {state}", plan.note))))
    if plan.counts.failed:
        listing = typed("plan", "show", plan.plan_id, "--items", "failed")
        raise Failed(f"{plan.counts.failed} of {plan.counts.total} items failed: {listing}")
