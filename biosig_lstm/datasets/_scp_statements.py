"""The SCP-ECG statements of PTB-XL: what each code means, and which labels each task makes of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from biosig_lstm.errors import DataError

__all__ = ["STATEMENTS", "TASKS", "Statement", "read_statements", "task_classes", "task_labels", "write_statements"]

TASKS = ("all", "diagnostic", "subdiagnostic", "superdiagnostic", "form", "rhythm")
"""The tasks of Strodthoff et al. (IEEE J Biomed Health Inform 25(5):1519-1528, 2021)."""


class Statement(NamedTuple):
    """A row of ``scp_statements.csv``.

    Attributes
    ----------
    description : str
        In words.
    diagnostic, form, rhythm : bool
        Kinds of statement that it is; four are diagnostic and form.
    diagnostic_class, diagnostic_subclass : str
        Of a diagnostic statement; empty of others.
    """

    description: str
    diagnostic: bool = False
    form: bool = False
    rhythm: bool = False
    diagnostic_class: str = ""
    diagnostic_subclass: str = ""


_YES = ("1", "1.0")
_COLUMNS = ("description", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass")

_DIAGNOSTIC = {
    "NDT": ("non-diagnostic T abnormalities", "STTC", "STTC"),
    "NST_": ("non-specific ST changes", "STTC", "NST_"),
    "DIG": ("digitalis-effect", "STTC", "STTC"),
    "LNGQT": ("long QT-interval", "STTC", "STTC"),
    "NORM": ("normal ECG", "NORM", "NORM"),
    "IMI": ("inferior myocardial infarction", "MI", "IMI"),
    "ASMI": ("anteroseptal myocardial infarction", "MI", "AMI"),
    "LVH": ("left ventricular hypertrophy", "HYP", "LVH"),
    "LAFB": ("left anterior fascicular block", "CD", "LAFB/LPFB"),
    "ISC_": ("non-specific ischemic", "STTC", "ISC_"),
    "IRBBB": ("incomplete right bundle branch block", "CD", "IRBBB"),
    "1AVB": ("first degree AV block", "CD", "_AVB"),
    "IVCD": ("non-specific intraventricular conduction disturbance (block)", "CD", "IVCD"),
    "ISCAL": ("ischemic in anterolateral leads", "STTC", "ISCA"),
    "CRBBB": ("complete right bundle branch block", "CD", "CRBBB"),
    "CLBBB": ("complete left bundle branch block", "CD", "CLBBB"),
    "ILMI": ("inferolateral myocardial infarction", "MI", "IMI"),
    "LAO/LAE": ("left atrial overload/enlargement", "HYP", "LAO/LAE"),
    "AMI": ("anterior myocardial infarction", "MI", "AMI"),
    "ALMI": ("anterolateral myocardial infarction", "MI", "AMI"),
    "ISCIN": ("ischemic in inferior leads", "STTC", "ISCI"),
    "INJAS": ("subendocardial injury in anteroseptal leads", "MI", "AMI"),
    "LMI": ("lateral myocardial infarction", "MI", "LMI"),
    "ISCIL": ("ischemic in inferolateral leads", "STTC", "ISCI"),
    "LPFB": ("left posterior fascicular block", "CD", "LAFB/LPFB"),
    "ISCAS": ("ischemic in anteroseptal leads", "STTC", "ISCA"),
    "INJAL": ("subendocardial injury in anterolateral leads", "MI", "AMI"),
    "ISCLA": ("ischemic in lateral leads", "STTC", "ISCA"),
    "RVH": ("right ventricular hypertrophy", "HYP", "RVH"),
    "ANEUR": ("ST-T changes compatible with ventricular aneurysm", "STTC", "STTC"),
    "RAO/RAE": ("right atrial overload/enlargement", "HYP", "RAO/RAE"),
    "EL": ("electrolytic disturbance or drug (former EDIS)", "STTC", "STTC"),
    "WPW": ("Wolf-Parkinson-White syndrome", "CD", "WPW"),
    "ILBBB": ("incomplete left bundle branch block", "CD", "ILBBB"),
    "IPLMI": ("inferoposterolateral myocardial infarction", "MI", "IMI"),
    "ISCAN": ("ischemic in anterior leads", "STTC", "ISCA"),
    "IPMI": ("inferoposterior myocardial infarction", "MI", "IMI"),
    "SEHYP": ("septal hypertrophy", "HYP", "SEHYP"),
    "INJIN": ("subendocardial injury in inferior leads", "MI", "IMI"),
    "INJLA": ("subendocardial injury in lateral leads", "MI", "AMI"),
    "PMI": ("posterior myocardial infarction", "MI", "PMI"),
    "3AVB": ("third degree AV block", "CD", "_AVB"),
    "INJIL": ("subendocardial injury in inferolateral leads", "MI", "IMI"),
    "2AVB": ("second degree AV block", "CD", "_AVB"),
}
_ALSO_FORM = ("NDT", "NST_", "DIG", "LNGQT")
_FORM = {
    "ABQRS": "abnormal QRS",
    "PVC": "ventricular premature complex",
    "STD_": "non-specific ST depression",
    "VCLVH": "voltage criteria (QRS) for left ventricular hypertrophy",
    "QWAVE": "Q waves present",
    "LOWT": "low amplitude T-waves",
    "NT_": "non-specific T-wave changes",
    "PAC": "atrial premature complex",
    "LPR": "prolonged PR interval",
    "INVT": "inverted T-waves",
    "LVOLT": "low QRS voltages in the frontal and horizontal leads",
    "HVOLT": "high QRS voltage",
    "TAB_": "T-wave abnormality",
    "STE_": "non-specific ST elevation",
    "PRC(S)": "premature complex(es)",
}
_RHYTHM = {
    "SR": "sinus rhythm",
    "AFIB": "atrial fibrillation",
    "STACH": "sinus tachycardia",
    "SARRH": "sinus arrhythmia",
    "SBRAD": "sinus bradycardia",
    "PACE": "normal functioning artificial pacemaker",
    "SVARR": "supraventricular arrhythmia",
    "BIGU": "bigeminal pattern (unknown origin, SV or Ventricular)",
    "AFLT": "atrial flutter",
    "SVTAC": "supraventricular tachycardia",
    "PSVT": "paroxysmal supraventricular tachycardia",
    "TRIGU": "trigeminal pattern (unknown origin, SV or Ventricular)",
}

STATEMENTS: Mapping[str, Statement] = {
    **{
        code: Statement(text, True, code in _ALSO_FORM, False, of_class, subclass)
        for code, (text, of_class, subclass) in _DIAGNOSTIC.items()
    },
    **{code: Statement(text, form=True) for code, text in _FORM.items()},
    **{code: Statement(text, rhythm=True) for code, text in _RHYTHM.items()},
}
"""The 71 statements of PTB-XL 1.0.3 by code, in the order of ``scp_statements.csv``."""


def task_labels(codes: Iterable[str], task: str, *, statements: Mapping[str, Statement] = STATEMENTS) -> list[str]:
    """Return the labels that a task makes of a record's codes, each once, in the order of the codes.

    Parameters
    ----------
    codes : iterable of str
        Keys of the record's ``scp_codes``; how likely each is stated to be does not matter.
    task : str
        One of `TASKS`: all codes; the diagnostic, form or rhythm ones; or the subclasses or classes of the diagnostic
        ones.
    statements : mapping of str to Statement
        What the codes mean; others are passed over.

    Examples
    --------
    >>> task_labels(["ASMI", "AMI", "SR", "ABQRS"], "subdiagnostic")
    ['AMI']
    >>> task_labels(["NDT", "SR", "ABQRS"], "form")
    ['NDT', 'ABQRS']
    """
    found = (_label(code, statements[code], task) for code in codes if code in statements)
    return list(dict.fromkeys(label for label in found if label))


def _label(code: str, statement: Statement, task: str) -> str:
    if task == "all":
        return code
    if task in ("diagnostic", "form", "rhythm"):
        return code if getattr(statement, task) else ""
    of_class = statement.diagnostic_class if task == "superdiagnostic" else statement.diagnostic_subclass
    return of_class if statement.diagnostic else ""


def task_classes(task: str) -> tuple[str, ...]:
    """Return the labels of a task, sorted: 71, 44, 23, 5, 19 or 12 of them.

    Examples
    --------
    >>> task_classes("superdiagnostic")
    ('CD', 'HYP', 'MI', 'NORM', 'STTC')
    >>> [len(task_classes(task)) for task in TASKS]
    [71, 44, 23, 5, 19, 12]
    """
    return tuple(sorted(task_labels(STATEMENTS, task)))


def read_statements(path: Path) -> dict[str, Statement]:
    """Return the statements that a file ``scp_statements.csv`` holds, by code.

    Raises
    ------
    DataError
        When it is not there, cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no readable table of statements: {error}") from error
    head = rows[0] if rows else []
    missing = [name for name in _COLUMNS if name not in head]
    if missing:
        raise DataError(f"{path}: lacks the columns {', '.join(missing)}; it has {', '.join(head) or 'none'}")
    places = [head.index(name) for name in _COLUMNS]
    return {row[0]: _statement([row[k] for k in places]) for row in rows[1:] if len(row) == len(head)}


def _statement(cells: list[str]) -> Statement:
    text, diagnostic, form, rhythm, of_class, subclass = (cell.strip() for cell in cells)
    return Statement(text, diagnostic in _YES, form in _YES, rhythm in _YES, of_class, subclass)


def write_statements(path: Path) -> None:
    """Write the statements as ``scp_statements.csv``, with the columns that the published one has."""
    more = ["Statement Category", "SCP-ECG Statement Description", "AHA code", "aECG REFID", "CDISC Code", "DICOM Code"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *_COLUMNS, *more])
        for code, (text, *kinds, of_class, subclass) in STATEMENTS.items():
            writer.writerow([code, text, *("1.0" * kind for kind in kinds), of_class, subclass, *[""] * len(more)])
