"""What the commands find, for programs to read: JSON, and a table of predictions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from symem.auditing.audit import Audit
from symem.candidates import Selection
from symem.em import EM
from symem.language.model import Model
from symem.language.ragged_plates import ragged_plates
from symem.runtime.saving import _as_json
from symem.verification.records import Verification


def as_json(value: Any) -> str:
    """A text of JSON, in which numbers that are not finite are words."""
    return json.dumps(_as_json(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def of_derivation(em: EM) -> dict[str, Any]:
    """The formulas in SymPy's words, and why there is none where there is none."""
    return {
        "posterior": {str(latent): str(law) for latent, law in em.posterior.items()},
        "statistics": {str(symbol): str(value) for symbol, value in em.statistics.items()},
        "Q": str(em.Q),
        "updates": {str(parameter): str(em.updates[parameter]) for parameter in em.updates},
        "log_likelihood": str(em.log_likelihood),
        **({"approximation": em.approximation} if em.approximation else {}),
        "not_derived": [each.reason for each in em.derivation.not_derived],
    }


def of_verification(found: Verification) -> dict[str, Any]:
    """The verdict, and every rung."""
    return {"verdict": found.verdict, "data": found.data, "rungs": [_fields(each) for each in found.rungs]}


def of_audit(found: Audit) -> dict[str, Any]:
    """The worst verdict, and what was found of each claim."""
    return {
        "verdict": found.verdict,
        "findings": {name: _fields(each) for name, each in found.findings.items()},
    }


def of_selection(found: Selection) -> dict[str, Any]:
    """The table, and the sizes that are best; none where no fit converged."""
    numbers = ("log_likelihood", "n_parameters", "aic", "bic", "converged")
    table = [
        {**each.sizes, **{name: getattr(each.fit, name, None) for name in numbers}, "ended": each.ended}
        for each in found.table
    ]
    chosen = found.chosen_or_none
    return {"criterion": found.criterion, "best": chosen and dict(chosen.sizes), "table": table}


def _fields(record: Any) -> Any:
    """A record and those inside it by the names of their fields."""
    if not is_dataclass(record):
        return record
    return {each.name: _fields(getattr(record, each.name)) for each in fields(record)}


def predictions(fit: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Of every latent what it is predicted to be, by name, and the log-likelihood of each row."""
    found = fit.predict(**data)
    names = fit.posterior_of(**data)._fields
    columns = dict(zip(names, found if len(names) > 1 else (found,), strict=True))
    return {**columns, "log_likelihood": fit.score_samples(**data)}


def in_rows(model: Model, columns: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sequences of several lengths one below the other, under the index that says whose row each is; what belongs to a
    sequence stands in each of its rows.
    """
    lists = [values for values in columns.values() if isinstance(values, list)]
    plates = ragged_plates(model.variables, model.extents)
    if not lists or not plates:
        return columns
    lengths, index = [len(part) for part in lists[0]], plates[0].index
    names = list(dict.fromkeys(np.asarray(data.get(index, range(len(lengths)))).tolist()))
    found = {index: np.repeat(np.array(names, dtype=object), lengths)}
    for name, values in columns.items():
        found[name] = (
            np.concatenate(values) if isinstance(values, list) else np.repeat(values, lengths, axis=0)
        )
    return found


def as_csv(columns: Mapping[str, Any]) -> str:
    """A column for each array, or for each of its slices beside the rows: `z`, or `z[0]`, `z[1]`, …"""
    table: dict[str, Any] = {}
    for name, values in columns.items():
        array = np.asarray(values)
        for place in np.ndindex(array.shape[1:]):
            slots = ",".join(map(str, place))
            table[f"{name}[{slots}]" if slots else name] = array[(slice(None), *place)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
    return text.getvalue()
