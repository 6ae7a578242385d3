# SPDX-License-Identifier: EUPL-1.2
"""One person's fields, gathered from answers of the gateway.

An answer names one owner's rows of one dataset; several together (persons, registrations, asylum)
are one person. More than one owner or more than one row is not one person, so it is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.exchange.errors import ExchangeError

DATASETS: Final = ("persons", "registrations", "asylum")


@dataclass(frozen=True, slots=True, repr=False)
class Gathered:
    """Field id ("persons.direct_identifier.surnames") to value as answered; unknown ones absent."""

    owner: str
    values: Mapping[str, Any]


def gather(answers: Mapping[str, bytes]) -> Gathered:
    """The fields of one person.

    Args:
        answers: dataset to the body of an answer on it.

    Raises:
        ExchangeError: an answer is none, or is not about one record of one and the same owner.
    """
    owners: set[str] = set()
    values: dict[str, Any] = {}
    for dataset, body in answers.items():
        if dataset not in DATASETS:
            raise ExchangeError(f"answers on {', '.join(DATASETS)} make a record, no others")
        owner, row = _row(dataset, body)
        owners.add(owner)
        values |= {
            f"{dataset}.{field}": value
            for field, value in row.items()
            if value is not None and field.count(".") == 1
        }
    if len(owners) != 1:
        raise ExchangeError("the answers are of different owners; take one state's")
    return Gathered(owners.pop(), values)


def _row(dataset: str, body: bytes) -> tuple[str, Mapping[str, Any]]:
    try:
        document = orjson.loads(body)
        parts = [part for part in document["owners"] if part["status"] == "answered"]
        found = [
            (str(part["owner"]), row)
            for part in parts
            for result in part["results"]
            if result["view"] == "full"
            for row in result["rows"]
        ]
    except (ValueError, KeyError, TypeError):
        raise ExchangeError(
            f"the {dataset} answer is none of this gateway; save the body of a question's answer"
        ) from None
    if len(found) != 1 or not isinstance(found[0][1], dict):
        raise ExchangeError(
            f"the {dataset} answer has {len(found)} records at full view; ask for one"
        )
    return found[0]
