"""What a provider's later word says against how a job ended."""

import pytest

from hub.jobs.contradicting import Contradiction, Proposal, contradiction, weigh
from hub.jobs.model import FINAL, JobState
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Pending, Succeeded, Unknown

YES, NO = Succeeded("T", b"r", "ref"), Declined("NO", "", "ref")
UNDONE = Contradiction("state", Proposal.REPEAT)
UNCOUNTED = Contradiction("state", Proposal.ROLL_BACK)
RIDDLE = Contradiction("provider_reference", Proposal.INVESTIGATE)


def test_a_failure_of_what_counts_as_done_is_to_be_asked_for_again() -> None:
    assert contradiction(JobState.SUCCEEDED, "ref", NO) == UNDONE
    assert contradiction(JobState.SUCCEEDED, "", NO) == UNDONE


@pytest.mark.parametrize("state", sorted(FINAL - {JobState.SUCCEEDED}))
def test_a_success_of_what_does_not_count_as_done_is_to_be_rolled_back(state: JobState) -> None:
    assert contradiction(state, "ref", YES) == UNCOUNTED
    assert contradiction(state, "", YES) == UNCOUNTED


@pytest.mark.parametrize("word", [YES, NO])
def test_a_word_about_another_thing_than_the_one_done_is_a_riddle(word: Outcome) -> None:
    assert contradiction(JobState.SUCCEEDED, "another", word) == RIDDLE


@pytest.mark.parametrize(
    ("state", "word"), [(JobState.SUCCEEDED, YES), *((s, NO) for s in sorted(FINAL - {JobState.SUCCEEDED}))]
)
def test_the_same_word_again_contradicts_nothing(state: JobState, word: Outcome) -> None:
    assert contradiction(state, "ref", word) is None
    assert weigh(state, "ref", word, None).word == "late"


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize(
    "word", [Pending("T", b""), Unknown("R", ""), NotSent(NotSentCause.ABSENT, "R", "")], ids=type
)
def test_what_is_no_final_word_contradicts_no_end(state: JobState, word: Outcome) -> None:
    assert contradiction(state, "ref", word) is None
    assert weigh(state, "ref", word, "amount").word == "late"


@pytest.mark.parametrize("state", sorted(set(JobState) - FINAL))
def test_a_job_that_has_not_ended_is_contradicted_only_by_what_it_did_not_ask_for(state: JobState) -> None:
    assert contradiction(state, "ref", NO) is None
    assert weigh(state, "ref", YES, None).contradiction is None


@pytest.mark.parametrize("state", [JobState.DEAD, JobState.WAITING_CONFIRMATION, *sorted(FINAL)])
def test_what_names_another_amount_is_to_be_looked_into_wherever_the_job_stands(state: JobState) -> None:
    weighed = weigh(state, "ref", YES, "amount")
    assert (weighed.word, weighed.decision) == ("mismatch", None)
    assert weighed.contradiction == Contradiction("amount", Proposal.INVESTIGATE)
