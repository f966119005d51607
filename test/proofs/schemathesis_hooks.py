"""What a description cannot say, told to schemathesis; and which of its coverage is worth sending."""
import re
from collections import Counter

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# Cursors are sealed: the empty one, which is the beginning of a list, is the only one that can be made up.
schemathesis.openapi.format("cursor", st.just(""))

PAGES = {"page", "per_page"}
WALK = {"limit", "cursor"}
# Parameters of an aggregate that are about keys of its answer, so about what its other parameters ask for.
ABOUT_THE_ANSWER = {"sort", "having", "time_zone"}
MEASURES = ("count", "count_distinct", "sum", "avg", "min", "max")
MAX_MEASURES = 30
MAX_INCLUDES = 20


@schemathesis.hook
def map_case(context, case):
    """One of two ways through a list: OpenAPI 3.1 has no query parameters that exclude each other.

    Aggregates are about themselves only where just that is tried. Otherwise nearly every request would be
    refused for these, and nothing would be known about the parameter it was made for.
    """
    query = case.query
    if not isinstance(query, dict) or not query:
        return case
    tried = case.meta.phase.data.parameter if case.meta is not None else None
    if case.operation.path.endswith("/_aggregate"):
        left_out = ABOUT_THE_ANSWER - {tried}
    elif PAGES & query.keys() and WALK & query.keys():
        walks = tried in WALK or (tried not in PAGES and len(query) % 2 == 0)
        left_out = PAGES if walks else WALK
    else:
        return case
    for name in left_out & query.keys():
        del query[name]
    return case


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """400 is right where parameters do not fit each other, though each of them fits its schema."""
    if isinstance(failure, AcceptedNegativeData):
        # A query string writes null, {} and an empty list as it writes a list of one empty text.
        query = case.query if isinstance(case.query, dict) else {}
        return not any(name.endswith(".in]") and value in (None, {}, [], "") for name, value in query.items())
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    asked = case.query if case.operation.method == "get" else case.body
    if not isinstance(asked, dict):
        return True
    if case.operation.path.endswith("/_aggregate"):
        # At most 30 values are asked for in all.
        values = sum(len(names_of(asked.get(name))) for name in MEASURES)
        return values <= MAX_MEASURES and all(asked.get(name) is None for name in ABOUT_THE_ANSWER)
    # A relation goes by several names, and has options once.
    if "options of" in response.text and "given more than once" in response.text:
        return False
    if number_of(asked.get("include")) > MAX_INCLUDES:
        return False
    # Relations are included three deep; that they are described within each other has no end in a schema.
    return not lies_far_behind(asked) and depth_of(asked.get("include")) <= 3


def number_of(include):
    items = include if isinstance(include, list) else []
    return sum(1 + (number_of(item.get("include")) if isinstance(item, dict) else str(item).count(".")) for item in items)


def depth_of(include):
    items = include if isinstance(include, list) else []
    deep = [1 + depth_of(item.get("include")) if isinstance(item, dict) else 1 + item.count(".") for item in items if item]
    return max(deep, default=0)


def names_of(given):
    return given.split(",") if isinstance(given, str) else given or []


def lies_far_behind(asked):
    """Pages behind more than 100,000 records are refused; how long a page is, another parameter says."""
    try:
        page = float(asked.get("page") or 1)
        return (page - 1) * 100 > 100_000
    except (TypeError, ValueError):
        return False


# Coverage sends each mistake and each limit of each parameter with every combination of the others: thousands of
# requests for one list. The first of each kind is sent, and of the rest a share that is another one with another seed.
FIRST = 1
SHARE = 16
seen = Counter()


@schemathesis.hook
def filter_case(context, case):
    data = case.meta.phase.data if case.meta is not None else None
    if not isinstance(data, CoveragePhaseData):
        return True
    place = re.sub(r"/anyOf/\d+", "/anyOf", data.location or "")
    kind = (case.operation.label, case.meta.generation.mode, data.scenario, data.parameter, place)
    seen[kind] += 1
    repeats = seen[kind] - FIRST
    return repeats <= 0 or (repeats + case.operation.schema.config.seed) % SHARE == 0
