r"""Our own: ConvEntion that is shown the change, the date and the band of every frame.

Reproduces: nothing. It aims to be above every row of the published tables' systems, on
    the same data, with the same number of steps; configs/tables/beyond.py measures it.
Run:     python -m experiments.train --config=configs/best.py --workdir=runs/best
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results.md, which holds each figure with its command and machine.
"""

from configs import convention


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = convention.get_config(preset)
    args = config.model.args
    args.norm = "per_epoch"
    args.encoding = "date"
    args.band_token = True
    args.change = "linear" if preset in ("paper", "hits") else "asinh"
    args.pool = "mean_max"
    config.method.args.average_decay = 0.98
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-3
    config.optimizer.warmup_steps = 0 if preset == "smoke" else 30
    return config
