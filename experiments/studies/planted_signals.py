r"""Does a network use the order of the frames, or what a single frame shows?

    python -m experiments.studies.planted_signals --workdir=runs/planted

Trains each network on planted/order, whose classes differ only in the order of the
frames, and on planted/host, whose classes differ only in the host galaxy; a second
start continues there. Then the objects of the test fold are predicted unchanged, with
their frames shuffled over their times (NUM_SHUFFLES times), and from the middle frame.
The table shows accuracies with 95 % intervals, pairs of objects resampled, and
whether the network passes:
    order  accuracy above LEARNED, which shuffling brings back to chance
    host   accuracy of the middle frame above LEARNED, and lower than that of all frames
           by less than TOLERANCE
Networks on light curves take aperture photometry of the same frames, which does not
show the host; so they are trained on planted/order only.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from configs import (
    best,
    cnn_gru,
    cnn_lstm,
    convention,
    lstm,
    semiconformer,
    sits_bert,
    supernnova,
    visit_transformer,
    visit_transformer_of_light_curves,
)
from experiments.studies import command
from experiments.studies.train_once import train_once
from jaxastro.commands.settings import DATA_DIR
from jaxastro.evaluation.bootstrap import (
    Interval,
    difference_intervals,
    score_intervals,
)
from jaxastro.runs.evaluation import open_run
from jaxastro.runs.predictor import predict_examples
from jaxastro.runs.spec import RunSpec
from jaxastro.simulation.planted import CLASSES, NUM_EPOCHS
from jaxastro.types import Inputs

NETWORKS = {  # name -> its config, and the changed arguments of its model
    "convention": (convention, {}),
    "convention_additive": (convention, {"score": "additive"}),
    "convention_mjd": (convention, {"encoding": "mjd"}),
    "convention_2d": (convention, {"downsize": "2d"}),
    "semiconformer": (semiconformer, {}),
    "cnn_gru": (cnn_gru, {"bands": 1}),
    "cnn_lstm": (cnn_lstm, {"bands": 1}),
    "best": (best, {}),
    "visit_transformer": (visit_transformer, {}),
    "visit_transformer_of_light_curves": (
        visit_transformer_of_light_curves,
        {"change": "linear"},
    ),
    "lstm": (lstm, {"bands": 1}),
    "supernnova": (supernnova, {"bands": 1}),
    "sits_bert": (sits_bert, {"bands": 1}),
}
NUM_SHUFFLES = 10
CHANCE = 0.5
LEARNED = 0.7  # accuracy, the least that a network has to reach
TOLERANCE = 0.05  # accuracies that differ by less count as equal


def spec_of(name: str, planted: str, *, num_steps: int, seed: int) -> RunSpec:
    """Returns the spec of a network on one of the surveys."""
    module, changes = NETWORKS[name]
    config = module.get_config("laptop")
    config.survey, config.classes = f"planted/{planted}", CLASSES[planted]
    if config.representation.name == "light_curve":
        config.survey = f"light_curves/planted.{planted}"
        config.representation.normalisation = "relative"
    config.seed = seed
    config.representation.max_epochs = config.loader.loaded_epochs = NUM_EPOCHS
    config.augment.max_epochs = NUM_EPOCHS
    if planted == "host":
        config.augment.drop = 0.99  # views of one frame too, as the test has
    config.loader.unlabelled_share = 0.0  # every object has a label
    config.num_steps, config.evaluate_every = num_steps, max(1, num_steps // 5)
    config.model.args.update(changes)
    return RunSpec.from_dict(config.to_dict())


def surveys_of(name: str) -> tuple[str, ...]:
    """Returns the surveys that a network is trained on."""
    representation = NETWORKS[name][0].get_config().representation.name
    return ("order",) if representation == "light_curve" else tuple(CLASSES)


def shuffle_frames(series: Inputs, generator: np.random.Generator) -> Inputs:
    """Returns the series with its frames, and their bands, at shuffled times."""
    order = generator.permutation(len(series.time))  # there is no padding
    moved = set(series.OF_EPOCHS) - {"time"}
    return series._replace(**{name: getattr(series, name)[order] for name in moved})


def keep_middle_frame(series: Inputs) -> Inputs:
    """Returns a series of the middle frame, at time 0, and padding."""
    count = len(series.time)
    fields = {name: getattr(series, name) for name in series.OF_EPOCHS}
    rolled = {n: np.roll(column, -(count // 2), axis=0) for n, column in fields.items()}
    return series._replace(**rolled)._replace(
        time=np.zeros_like(series.time), epoch_mask=np.arange(count) == 0
    )


def measure(run: Path, *, data_dir: str, seed: int) -> dict[str, int | Interval]:
    """Returns the accuracies of a run on its test fold.

    Args:
        seed: of the shuffled frames.
    """
    dataset, predictor, state = open_run(run, data_dir=data_dir)
    rows, num_classes = dataset.labelled("test"), len(predictor.task.classes)
    label, group = dataset.labels(rows), dataset.index.group[rows]
    make_example = predictor.example_maker()
    series = [make_example(dataset.stored[row]) for row in rows]

    def predict(change: Callable[[Inputs], Inputs]) -> np.ndarray:
        return predict_examples(predictor, state, [*map(change, series)]).probability

    generator = np.random.default_rng(seed)
    shuffled = [
        predict(lambda one: shuffle_frames(one, generator)) for _ in range(NUM_SHUFFLES)
    ]
    unchanged, middle = predict(lambda one: one), predict(keep_middle_frame)

    def accuracy(probabilities: list[np.ndarray]) -> Interval:
        repeats = len(probabilities)  # accuracies are averaged, not probabilities
        scores = score_intervals(
            np.tile(label, repeats),
            np.concatenate(probabilities),
            np.tile(group, repeats),
            num_classes,
        )
        return scores["accuracy"]

    loss = difference_intervals(label, middle, unchanged, group, num_classes)
    return {
        "objects": len(label),
        "unchanged": accuracy([unchanged]),
        "shuffled": accuracy(shuffled),
        "middle": accuracy([middle]),
        "middle_minus_unchanged": loss["accuracy"],
    }


def passes(planted: str, found: dict) -> bool:
    """Returns whether the accuracies are those that a survey requires.

    The ends of the 95 % intervals decide.
    """
    if planted == "order":
        is_chance = max(abs(end - CHANCE) for end in found["shuffled"][1:]) < TOLERANCE
        return bool(found["unchanged"].low > LEARNED and is_chance)
    is_enough = found["middle_minus_unchanged"].low > -TOLERANCE
    return bool(found["middle"].low > LEARNED and is_enough)


def row_of(name: str, planted: str, given) -> dict:
    """Returns the row of a network on one of the surveys; trains it if need be."""
    spec = spec_of(name, planted, num_steps=given.steps, seed=given.seed)
    run = given.workdir / f"{name}_{planted}_seed{given.seed}"
    train_once(spec, run, data_dir=given.data_dir)
    found = measure(run, data_dir=given.data_dir, seed=given.seed)
    row = {"model": name, "survey": planted, **found}
    return row | {"passes": passes(planted, found)}


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    rows = [
        row_of(name, planted, given)
        for name in given.configs
        for planted in surveys_of(name)
    ]
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    names = ("unchanged", "shuffled", "middle")
    command.print_table(
        ["model", "survey", "unchanged", "frames shuffled", "middle frame", "passes"],
        [
            [
                row["model"],
                row["survey"],
                *(command.format_interval(row[name]) for name in names),
                "yes" if row["passes"] else "no",
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    add = parser.add_argument
    add("--workdir", type=Path, default=Path("runs/planted"), help="folder of the runs")
    add(
        "--configs",
        type=command.list_of(str),
        default=list(NETWORKS),
        help="networks, separated by commas",
    )
    add("--steps", type=int, default=400, help="of each run")
    add("--seed", type=int, default=0, help="of networks and shuffled frames")
    add("--data_dir", default="", metavar="FOLDER", help=DATA_DIR)
    command.run(main, parser)
