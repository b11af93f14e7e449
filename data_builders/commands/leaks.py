"""Ask whether the labels of data sets can be told without looking at the objects.

examples:
  python -m data_builders leaks sdss_sn_sim/laptop
  python -m data_builders leaks hits --classes=SN,EB,RRLyrae --report=leaks.png
  python -m data_builders leaks MY_TRAINING_SET MY_TEST_SET

For each clue that is a nuisance (length of the sequence, season, bands, background,
conditions, position, order of the names) a random forest sees nothing else, and is
asked for the class of objects of groups that it never saw. An area under the ROC curve
(AUC) of 0.5 is chance. A clue is called a leak when there is no reasonable doubt that
it tells something: jaxastro/leakage/leak_test.py says how, and how often that is wrong.
What a single epoch tells is shown beside it, and is no leak.

Then all objects are compared: those in one place of the sky (within 2 arcsec), of one
name, or with the same numbers to the last bit must lie in one group, as a split may cut
between groups. Those of several data sets are compared all together.

Ends with 1 if there is a leak.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_builders.commands.arguments import add_data_set, add_folders, add_json
from data_builders.engine.printable import printable
from data_builders.opening import prepare
from jaxastro.data.record import RECORD_TYPES, record_from_example
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
    True: "The sky is in the images: its level is a nuisance",
    False: "The sky was subtracted: what is left in the corners may be hosts",
    None: "No images: nothing is known of the background",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what this sub-command can be told."""
    add_data_set(parser, several=True)
    add_folders(parser)
    parser.add_argument(
        "--classes",
        default="",
        metavar="A,B,...",
        help="look at these classes only (default: all that have enough objects)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of folds, forests, resamples (default: 0)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.png", help="draw the scores, too"
    )
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Looks for leaks in each data set, then for objects that are there twice."""
    for name in given.name:
        if given.name.count(name) > 1:
            raise InputError(
                f"{name} is named twice. Each data set is compared with the others. "
                "Name it once."
            )
    wanted = [name for name in given.classes.split(",") if name]
    data_sets = {name: _objects_of(name, given) for name in given.name}
    found, answers = {}, {}
    for name, objects in data_sets.items():
        rows, classes, left_out = classes_to_test(objects, wanted, seed=given.seed)
        found[name] = find_leaks(objects, rows, classes, seed=given.seed)
        answers[name] = {
            "objects": len(rows),
            "groups": len(set(objects.group[rows])),
            "classes": classes,
            "left_out": left_out,
            "sky_in_images": objects.has_sky,
            "clues": {
                clue: _plain(clue, f, classes) for clue, f in found[name].items()
            },
        }
    twice = find_duplicates(data_sets)
    leaks = [
        f"{name}: {clue}"
        for name, answer in answers.items()
        for clue, told in answer["clues"].items()
        if told["is_leak"]
    ]
    if given.report:
        from jaxastro.reports.leakage import draw_leakage  # matplotlib is slow to load

        draw_leakage(found, given.report)
    if given.json:
        pairs = [pair._asdict() for pair in twice]
        told = {"leaks": leaks, "twice": pairs, "data_sets": answers}
        print(json.dumps(told, indent=1))
    else:
        for name, answer in answers.items():
            _show(name, answer)
        _show_twice(twice)
        nothing = "none found" if any(found.values()) else "none could be looked for"
        print(f"Leaks: {', '.join(leaks) or nothing}.")
    return int(bool(leaks or twice))


def _objects_of(name: str, given: argparse.Namespace):
    builder = prepare(name, data_dir=given.data_dir, manual_dir=given.manual_dir)
    source, kind = builder.as_data_source("all"), RECORD_TYPES[builder.survey.kind]
    bar = tqdm(source, desc=f"Reading {name}", leave=False, disable=None)
    records = (record_from_example(example, kind) for example in bar)
    return measure_objects(records, builder.survey)


def _plain(clue: str, finding: Finding, classes: list[str]) -> dict:
    """Returns a finding as JSON can hold it."""
    by_class = finding.class_auc.round(4).tolist()
    given_away = np.array(classes)[finding.leaked_classes].tolist()
    return {
        "auc": finding.auc._asdict(),
        "balanced_accuracy": finding.balanced_accuracy._asdict(),
        "auc_by_chance": finding.chance_auc,
        "leak_above": max(0.5 + finding.margin, finding.chance_auc),
        "auc_of_class": dict(zip(classes, by_class, strict=True)),
        "given_away": given_away,
        "is_leak": finding.is_leak and clue != ONE_EPOCH,
    }


def _show(name: str, answer: dict) -> None:
    print(
        f"{name}: {answer['objects']:,} objects in {answer['groups']:,} groups, "
        f"classes {', '.join(map(printable, answer['classes'])) or 'none'}."
    )
    for label, why in answer["left_out"].items():
        print(f"  {printable(label)} is left out: {why}.")
    if not answer["clues"]:
        print("  Fewer than two classes: there is nothing to tell apart.\n")
        return
    print(f"  {SKY[answer['sky_in_images']]}.\n")
    print(
        f"{'clue':<13} {'AUC (95%)':<21} {'leak above':<11}"
        f"{'balanced accuracy':<21} most given away"
    )
    for clue, told in answer["clues"].items():
        auc, accuracy = (
            f"{told[score]['value']:.3f} [{told[score]['low']:.3f}, "
            f"{told[score]['high']:.3f}]"
            for score in ("auc", "balanced_accuracy")
        )
        worst = max(told["auc_of_class"], key=told["auc_of_class"].get)
        verdict = "LEAK" if told["is_leak"] else ""
        print(
            f"{clue:<13} {auc:<21} {told['leak_above']:<11.3f}{accuracy:<21} "
            f"{printable(worst)} {told['auc_of_class'][worst]:.3f} {verdict}"
        )
    chance = 1 / len(answer["classes"])
    print(
        f"\n  By chance the AUC is 0.5, balanced accuracy {chance:.3f}. A leak has the "
        "lower end of\n  its AUC above what is given, or one class has. One epoch may "
        "tell.\n"
    )


def _show_twice(twice: list) -> None:
    print(f"{len(twice)} pairs of objects are one object in two groups.")
    for pair in twice[:SHOWN]:
        print(f"  {printable(pair.first)} and {printable(pair.second)}: {pair.why}")
