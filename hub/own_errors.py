"""The hub's own errors: those whose texts may be logged."""

from hub.alerts.model import SinkGone
from hub.errors import JobError
from hub.intake.quotas import BadQuotas
from hub.lanes.ports import LogContradicts, LogUnavailable, SpokeUnavailable
from mesh.told import MESH

OWN = (*MESH, JobError, LogUnavailable, LogContradicts, SpokeUnavailable, SinkGone, BadQuotas)
