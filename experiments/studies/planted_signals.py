r"""What every sequence model looks at: the order of the frames, or the single frame.

Run:     python -m experiments.studies.planted_signals --workdir=runs/planted

Trains each network on planted/order, whose classes differ in the order of the frames
alone, and on planted/host, whose classes differ in the galaxy alone; a second start
continues there. The objects of the test fold are then shown as they are; with their
frames dealt to the times at random, NUM_DEALS times over; and with the middle frame
alone. The table gives accuracies with 95 % intervals, pairs of twins resampled, and
whether the law of the survey holds:
    order  learned, and dealing the frames brings it back to chance
    host   learned, and the middle frame alone is not worse by NEAR or more
Networks on light curves see aperture photometry of the same frames, of the first survey
alone: it cannot tell a host.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import app, flags

from configs import (
    best,
    cnn_gru,
    cnn_lstm,
    convention,
    lstm,
    semiconformer,
    sits_bert,
    supernnova,
)
from experiments.studies.hits_networks import said
from experiments.train import train
from jaxastro.evaluation.bootstrap import difference_intervals, score_intervals
from jaxastro.runs import assemble
from jaxastro.runs.dataset import labelled, labels_of, open_dataset
from jaxastro.runs.predictor import load_predictor, mesh_for, predict_examples
from jaxastro.simulation.planted import CLASSES, NUM_EPOCHS
from jaxastro.types import Inputs

NETWORKS = {  # name -> its config, and what is changed in its model
    "convention": (convention, {}),
    "convention_additive": (convention, {"score": "additive"}),
    "convention_mjd": (convention, {"encoding": "mjd"}),
    "convention_2d": (convention, {"downsize": "2d"}),
    "semiconformer": (semiconformer, {}),
    "cnn_gru": (cnn_gru, {"bands": 1}),
    "cnn_lstm": (cnn_lstm, {"bands": 1}),
    "best": (best, {}),
    "lstm": (lstm, {"bands": 1}),
    "supernnova": (supernnova, {"bands": 1}),
    "sits_bert": (sits_bert, {"bands": 1}),
}
NUM_DEALS = 10
CHANCE = 0.5
LEARNED = 0.7  # accuracy, the least that a network has to reach
NEAR = 0.05  # accuracies that differ by less count as equal

FLAGS = flags.FLAGS


def config_of(name: str, planted: str, *, num_steps: int, seed: int):
    """Returns the config of a network on one of the surveys."""
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
        config.augment.drop = 0.99  # down to one frame, or one frame would be news
    config.loader.unlabelled_share = 0.0  # every object has a label
    config.num_steps, config.evaluate_every = num_steps, max(1, num_steps // 5)
    config.model.args.update(changes)
    return config


def surveys_of(name: str) -> tuple[str, ...]:
    """Returns the surveys that a network is tried on."""
    is_blind = NETWORKS[name][0].get_config().representation.name == "light_curve"
    return ("order",) if is_blind else tuple(CLASSES)


def dealt(series: Inputs, generator: np.random.Generator) -> Inputs:
    """Returns the series with its frames dealt to its times at random."""
    order = generator.permutation(len(series.time))  # no padding: all epochs are there
    moved = set(series.OF_EPOCHS) - {"time"}
    return series._replace(**{name: getattr(series, name)[order] for name in moved})


def middle_alone(series: Inputs) -> Inputs:
    """Returns the series of the middle frame, and padding."""
    count = len(series.time)
    fields = {name: getattr(series, name) for name in series.OF_EPOCHS}
    rolled = {n: np.roll(column, -(count // 2), axis=0) for n, column in fields.items()}
    return series._replace(**rolled)._replace(
        time=np.zeros_like(series.time), epoch_mask=np.arange(count) == 0
    )


def measure(name: str, planted: str) -> dict:
    """Returns the row of a network on one of the surveys, trained if it was not."""
    run = Path(FLAGS.workdir) / f"{name}_{planted}_seed{FLAGS.seed}"
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "report" / "index.html").exists():
        config = config_of(name, planted, num_steps=FLAGS.steps, seed=FLAGS.seed)
        train(config, run, data_dir=FLAGS.data_dir)
    config = assemble.read_config(run)
    dataset = open_dataset(config, data_dir=FLAGS.data_dir, manual_dir="")
    rows = labelled(dataset, "test")
    label, group = labels_of(dataset, rows, config), dataset.index.group[rows]
    make = assemble.example_of_config(
        config, max_epochs=config.representation.max_epochs
    )
    series = [make(dataset.stored[row]) for row in rows]
    predictor, state = load_predictor(run, config, mesh_for(config))

    def said_of(view: Callable[[Inputs], Inputs]) -> np.ndarray:
        return predict_examples(predictor, state, [*map(view, series)]).probability

    generator = np.random.default_rng(FLAGS.seed)
    deals = [said_of(lambda s: dealt(s, generator)) for _ in range(NUM_DEALS)]
    whole, alone = said_of(lambda s: s), said_of(middle_alone)

    def accuracy(probability: list[np.ndarray]):
        times = len(probability)  # scores are averaged over deals, not probabilities
        columns = np.tile(label, times), np.concatenate(probability)
        scores = score_intervals(*columns, np.tile(group, times), len(config.classes))
        return scores["accuracy"]

    loss = difference_intervals(label, alone, whole, group, len(config.classes))
    row = {"model": name, "survey": planted, "objects": len(label)}
    row |= {"as_it_is": accuracy([whole]), "dealt": accuracy(deals)}
    row |= {"alone": accuracy([alone]), "alone_minus_whole": loss["accuracy"]}
    return row | {"holds": holds(row)}


def holds(row: dict) -> bool:
    """Returns whether a row obeys the law of its survey, by the intervals' ends."""
    if row["survey"] == "order":
        is_lost = max(abs(end - CHANCE) for end in row["dealt"][1:]) < NEAR
        return bool(row["as_it_is"].low > LEARNED and is_lost)
    suffices = row["alone_minus_whole"].low > -NEAR
    return bool(row["alone"].low > LEARNED and suffices)


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    rows = [
        measure(name, planted) for name in FLAGS.configs for planted in surveys_of(name)
    ]
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print("| model | survey | as it is | frames dealt at random | middle frame | |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        cells = [said(row[name]) for name in ("as_it_is", "dealt", "alone")]
        verdict = "PASS" if row["holds"] else "FAIL"
        print("|", " | ".join([row["model"], row["survey"], *cells, verdict]), "|")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", "runs/planted", "Folder of the runs.")
    flags.DEFINE_list("configs", list(NETWORKS), "Which networks to train.")
    flags.DEFINE_integer("steps", 400, "Of each run.")
    flags.DEFINE_integer("seed", 0, "Of networks and deals.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    app.run(main)
