"""The page on limits is true."""

import json
import re
from pathlib import Path

from hub.edge import quotas
from hub.jobs.admission import AdmissionLimits, Quota

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()


def test_the_sample_of_quotas_is_read_and_its_default_is_the_built_in_one(tmp_path: Path) -> None:
    sample = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert sample
    file = tmp_path / "quotas.json"
    file.write_text(json.dumps(json.loads(sample[1])))
    limits = quotas.load(file, lane_backlog=7)
    assert limits.of("acme") == Quota(unfinished=1000, per_second=50, burst=100)
    assert limits.of("another") == AdmissionLimits().of("another")
