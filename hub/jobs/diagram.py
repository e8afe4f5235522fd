"""Prints the state diagram of a job, in Mermaid: `python -m hub.jobs.diagram`."""

from hub.jobs.model import FINAL, TRANSITIONS, JobState


def diagram() -> str:
    """The diagram's text; the README holds the same."""
    arrows = [
        f"    {state.name} --> {successor.name}"
        for state, successors in TRANSITIONS.items()
        for successor in sorted(successors)
    ]
    ends = [f"    {state.name} --> [*]" for state in JobState if state in FINAL]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {JobState.QUEUED.name}", *arrows, *ends])


if __name__ == "__main__":
    print(diagram())
