"""What was verified, in words for people and as one object for programs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

VALID, INVALID, USAGE, UNANCHORED, GAPS = 0, 1, 2, 3, 4
VERDICTS = {VALID: "VALID", UNANCHORED: "CONSISTENT WITH ITSELF ONLY", GAPS: "VALID WITH GAPS"}


class Said(NamedTuple):
    """A statement of the bundle, at its place in the log."""

    place: int
    said: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """Returns a member as text that steers no terminal; empty if there is none."""
        value: Any = self.said
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return plain(str(value)) if value is not None else ""


class Proven(NamedTuple):
    """What a bundle proves, where its log's key is the one that was given: `anchored`."""

    job: str
    origin: str
    size: int
    root: str
    anchored: bool
    statements: Sequence[Said]
    gaps: Sequence[str]

    @property
    def code(self) -> int:
        """The exit code."""
        if not self.anchored:
            return UNANCHORED
        return GAPS if self.gaps else VALID

    def members(self) -> dict[str, Any]:
        """The object for programs."""
        return {
            "verdict": VERDICTS[self.code],
            "exit_code": self.code,
            "anchored": self.anchored,
            "job": self.job,
            "tenant": self._all("tenant"),
            "provider": self._all("op", "provider"),
            "operation": self._all("op", "service", joined=("op", "method")),
            "attempts": list(self._attempts()),
            "confirmations": [_placed(s, s.text("res", "outcome")) for s in self._of("confirmation")],
            "actions": [_placed(s, s.text("act")) for s in self._of("action")],
            "checkpoint": {"origin": self.origin, "size": self.size, "root": self.root},
            "gaps": list(self.gaps),
        }

    def lines(self) -> list[str]:
        """The same, for people; the verdict is last."""
        members = self.members()
        lines = [f"{name}: {members[name] or '-'}" for name in ("job", "tenant", "provider", "operation")]
        for attempt in members["attempts"]:
            lines.append(f"attempt {attempt['number']} ({attempt['purpose']}): {_told(attempt)}")
        for kind in ("confirmations", "actions"):
            for row in members[kind]:
                lines.append(f"{kind[:-1]}: {row['what']}, entry {row['index']} of {row['time']}")
        lines.append(f"checkpoint: {self.size} entries of {self.origin}, root {self.root}")
        if not self.anchored:
            lines += [f"gap: {gap}" for gap in self.gaps]
            lines.append(
                "Nothing was given to compare the log's key with (--vkey): anybody can make such a file."
            )
            return [*lines, VERDICTS[UNANCHORED]]
        return [*lines, VERDICTS[self.code] + (f" ({'; '.join(self.gaps)})" if self.gaps else "")]

    def _of(self, kind: str) -> list[Said]:
        return [said for said in self.statements if said.said["kind"] == kind]

    def _all(self, *names: str, joined: tuple[str, ...] = ()) -> str:
        found: Iterable[str] = (
            s.text(*names) + (f"/{s.text(*joined)}" if joined and s.text(*joined) else "")
            for s in self.statements
        )
        return ", ".join(sorted(set(filter(None, found))))

    def _attempts(self) -> Iterable[dict[str, Any]]:
        answers = {said.text("attempt"): said for said in self._of("evidence")}
        for intent in sorted(self._of("intent"), key=lambda s: int(s.text("attempt").rpartition(".")[2])):
            answer = answers.get(intent.text("attempt"))
            yield {
                "number": int(intent.text("attempt").rpartition(".")[2]),
                "purpose": intent.text("purpose"),
                "intent": _placed(intent, ""),
                "evidence": _placed(answer, "") if answer else None,
                "outcome": answer.text("res", "outcome") if answer else "",
                "reason": answer.text("res", "reason") if answer else "",
            }


def plain(text: str) -> str:
    """A text out of the bundle, without what would steer a terminal or turn a line around."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _placed(said: Said, what: str) -> dict[str, Any]:
    place = {"index": said.place, "time": said.text("t"), "by": said.text("producer", "id")}
    return {**place, "what": what} if what else place


def _told(attempt: Mapping[str, Any]) -> str:
    intent, evidence = attempt["intent"], attempt["evidence"]
    begun = f"intent at entry {intent['index']} of {intent['time']}"
    if evidence is None:
        return f"no evidence yet; {begun}"
    outcome = " ".join(filter(None, (attempt["outcome"], attempt["reason"])))
    return f"{outcome}; {begun}, evidence at entry {evidence['index']} of {evidence['time']}"
