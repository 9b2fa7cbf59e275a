"""What a campaign says of itself, line by line."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.torture.checker import Verdict
from tests.torture.runs import Outcome

KINDS = ("lost", "repeat", "renamed", "inversion", "phantom", "broken")
_SHOWN = 5


def line(name: str, outcome: Outcome) -> str:
    """One run."""
    verdict, place = outcome.verdict, outcome.schedule.place
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(verdict.faults.items()))
    wrong = f"{len(verdict.violations)} VIOLATIONS" if verdict.violations else "fine"
    return (
        f"{name}  {place.database}, {place.nodes} node(s): {verdict.accepted} accepted, {verdict.repeats} repeats,"
        f" recovery {verdict.slowest_recovery:.1f} s, {outcome.seconds:.0f} s, {wrong}  [{faults}]"
    )


def violations(outcome: Outcome) -> Iterable[str]:
    """The first violations of each kind in a run, and where to read on."""
    for kind in KINDS:
        found = [one for one in outcome.verdict.violations if one.kind == kind]
        for violation in found[:_SHOWN]:
            yield f"    {kind} {violation.id}: {violation.words}"
        if len(found) > _SHOWN:
            yield f"    {kind}: {len(found) - _SHOWN} more"
    if outcome.verdict.violations:
        yield f"    history: {outcome.history}"


def summary(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """All runs together."""
    verdicts = [outcome.verdict for outcome in outcomes]
    yield f"runs               {len(outcomes)}"
    yield f"messages accepted  {sum(v.accepted for v in verdicts)} of {sum(v.sent for v in verdicts)} sent"
    yield f"answers            {_counted(v.statuses for v in verdicts)}"
    yield f"refused far away   {_counted(v.turned_away for v in verdicts)}"
    yield f"faults             {_counted(v.faults for v in verdicts)}"
    yield f"repeats            {sum(v.repeats for v in verdicts)}, of them per kill at most {_most(verdicts)}"
    yield f"slowest recovery   {max((v.slowest_recovery for v in verdicts), default=0):.1f} s"
    for kind in KINDS:
        yield f"{kind:<19}{sum(v.count(kind) for v in verdicts)}"


def _most(verdicts: Iterable[Verdict]) -> int:
    return max((v.most_repeats_per("kill") for v in verdicts), default=0)


def _counted(parts: Iterable[dict[str, int]]) -> str:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return ", ".join(f"{name} {count}" for name, count in sorted(total.items())) or "none"
