"""Test whether nuisance variables predict the labels of a data set.

examples:
  python -m data_builders leaks sdss_sn_sim/laptop
  python -m data_builders leaks hits --classes=SN,EB,RRLyrae --report=leaks.png
  python -m data_builders leaks MY_TRAINING_SET MY_TEST_SET

Nuisance variables are the length of the sequence, season, bands, background, observing
conditions, position, and order of the names. A random forest is trained on each of them
and predicts the classes of objects in groups that it was not trained on. An area under
the ROC curve (AUC) of 0.5 is chance. A leak is an AUC significantly above chance:
jaxastro/leakage/leak_test.py has the test and its rate of false alarms. The same forest
on a single epoch is shown for comparison and is no leak.

Then all objects are compared, of several data sets together: objects at one place on
the sky (within 2 arcsec), of one name, or with identical numbers must be in one group,
because a split into folds separates groups.

Ends with 1 if there is a leak.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_builders.commands.arguments import add_data_set, add_folders, add_json
from data_builders.engine.printable import printable
from data_builders.opening import open_records, prepare
from jaxastro.errors import InputError
from jaxastro.leakage.data_set_check import (
    classes_to_test,
    find_duplicates,
    find_leaks,
    measure_objects,
)
from jaxastro.leakage.leak_test import Finding
from jaxastro.leakage.nuisance_groups import ONE_EPOCH

SHOWN = 5  # pairs of objects
SKY = {
    True: "The images contain the sky: its level is a nuisance variable",
    False: "The sky was subtracted: the corners of the images may show host galaxies",
    None: "No images: the background is unknown",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    add_data_set(parser, several=True)
    add_folders(parser)
    parser.add_argument(
        "--classes",
        default="",
        metavar="A,B,...",
        help="test these classes (default: all with enough objects)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of folds, forests and resamples (default: 0)",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.png", help="also plot the scores"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Tests each data set for leaks, then all of them for duplicate objects."""
    for name in options.name:
        if options.name.count(name) > 1:
            raise InputError(
                f"{name} is given twice. Each data set is compared with the others. "
                "Give it once."
            )
    wanted = [name for name in options.classes.split(",") if name]
    data_sets = {name: _measure(name, options) for name in options.name}
    findings, results = {}, {}
    for name, objects in data_sets.items():
        rows, classes, left_out = classes_to_test(objects, wanted, seed=options.seed)
        findings[name] = find_leaks(objects, rows, classes, seed=options.seed)
        results[name] = {
            "objects": len(rows),
            "groups": len(set(objects.group[rows])),
            "classes": classes,
            "left_out": left_out,
            "sky_in_images": objects.has_sky,
            "nuisances": {
                nuisance: _to_json(nuisance, finding, classes)
                for nuisance, finding in findings[name].items()
            },
        }
    duplicates = find_duplicates(data_sets)
    leaks = [
        f"{name}: {nuisance}"
        for name, result in results.items()
        for nuisance, scores in result["nuisances"].items()
        if scores["is_leak"]
    ]
    if options.report:
        from jaxastro.reports.leakage import draw_leakage  # matplotlib is slow to load

        draw_leakage(findings, options.report)
    if options.json:
        pairs = [pair._asdict() for pair in duplicates]
        report = {"leaks": leaks, "duplicates": pairs, "data_sets": results}
        print(json.dumps(report, indent=1))
    else:
        for name, result in results.items():
            _show(name, result)
        _show_duplicates(duplicates)
        nothing = "none" if any(findings.values()) else "none, as nothing was tested"
        print(f"Leaks: {', '.join(leaks) or nothing}.")
    return int(bool(leaks or duplicates))


def _measure(name: str, options: argparse.Namespace):
    builder = prepare(name, data_dir=options.data_dir, manual_dir=options.manual_dir)
    records = open_records(builder)
    bar = tqdm(records, desc=f"Reading {name}", leave=False, disable=None)
    return measure_objects(bar, builder.survey)


def _to_json(nuisance: str, finding: Finding, classes: list[str]) -> dict:
    """Returns the result for one nuisance variable, ready for JSON."""
    by_class = finding.class_auc.round(4).tolist()
    leaked = np.array(classes)[finding.leaked_classes].tolist()
    return {
        "auc": finding.auc._asdict(),
        "balanced_accuracy": finding.balanced_accuracy._asdict(),
        "auc_by_chance": finding.chance_auc,
        "leak_above": max(0.5 + finding.margin, finding.chance_auc),
        "auc_of_class": dict(zip(classes, by_class, strict=True)),
        "leaked_classes": leaked,
        "is_leak": finding.is_leak and nuisance != ONE_EPOCH,
    }


def _show(name: str, result: dict) -> None:
    print(
        f"{name}: {result['objects']:,} objects in {result['groups']:,} groups, "
        f"classes {', '.join(map(printable, result['classes'])) or 'none'}."
    )
    for label, why in result["left_out"].items():
        print(f"  {printable(label)} is left out: {why}.")
    if not result["nuisances"]:
        print("  Fewer than two classes: no test is possible.\n")
        return
    print(f"  {SKY[result['sky_in_images']]}.\n")
    print(
        f"{'nuisance':<13} {'AUC (95%)':<21} {'leak above':<11}"
        f"{'balanced accuracy':<21} best predicted class"
    )
    for nuisance, scores in result["nuisances"].items():
        auc, accuracy = (
            f"{scores[score]['value']:.3f} [{scores[score]['low']:.3f}, "
            f"{scores[score]['high']:.3f}]"
            for score in ("auc", "balanced_accuracy")
        )
        best = max(scores["auc_of_class"], key=scores["auc_of_class"].get)
        verdict = "LEAK" if scores["is_leak"] else ""
        print(
            f"{nuisance:<13} {auc:<21} {scores['leak_above']:<11.3f}{accuracy:<21} "
            f"{printable(best)} {scores['auc_of_class'][best]:.3f} {verdict}"
        )
    chance = 1 / len(result["classes"])
    print(
        f"\n  Chance: AUC 0.5, balanced accuracy {chance:.3f}. A leak has the lower "
        "end of its AUC,\n  or that of one class, above the limit. One epoch is no "
        "nuisance.\n"
    )


def _show_duplicates(duplicates: list) -> None:
    print(f"{len(duplicates)} pairs of duplicate objects lie in different groups.")
    for pair in duplicates[:SHOWN]:
        print(f"  {printable(pair.first)} and {printable(pair.second)}: {pair.why}")
