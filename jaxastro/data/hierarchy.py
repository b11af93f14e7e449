"""Classes within classes: a supernova is of type Ia, or a core collapse, or ...

A hierarchy is rows of a name and its members, which are labels or names of other rows:

    (("SN", ("SNIa", "CoreCollapse")), ("CoreCollapse", ("SNIbc", "SNII")))

A network tells some classes apart, anywhere in it. What lies above them follows by
addition, so that no level can contradict another.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from jaxastro.errors import InputError

Hierarchy = tuple[tuple[str, tuple[str, ...]], ...]


def check_hierarchy(hierarchy: Hierarchy, labels: tuple[str, ...]) -> None:
    """Says so if rows do not make a tree over labels of the survey.

    Raises:
        ValueError: if a name is unknown, stands twice, joins by +, or holds itself.
    """
    names = [name for name, _ in hierarchy]
    members = [member for _, row in hierarchy for member in row]
    for name, row in hierarchy:
        if not name or "+" in name or not row:
            raise InputError(
                f"config.hierarchy: {name!r} with members {row}. A row is a name "
                "without + and at least one member."
            )
    for where, given in (("name of a row", names), ("member", members)):
        twice = sorted({one for one in given if given.count(one) > 1})
        if twice:
            raise InputError(
                f"config.hierarchy has {', '.join(twice)} twice, as a {where}. Name "
                "each once: everything has one parent."
            )
    unknown = [one for one in members if one not in (*labels, *names)]
    if unknown:
        raise InputError(
            f"config.hierarchy has {', '.join(unknown)}, which the survey does not "
            f"have: it has {', '.join(labels)}. Name these, or other rows."
        )
    parent = {member: name for name, row in hierarchy for member in row}
    for name in names:
        above = name
        for _ in names:
            above = parent.get(above, "")
        if above:
            raise InputError(
                f"config.hierarchy: {name} lies within itself. Let every row end in "
                "labels."
            )


def expand_classes(classes: tuple[str, ...], hierarchy: Hierarchy) -> tuple[str, ...]:
    """Returns each class as all labels that it joins: SN is SN+SNIa+SNIbc+SNII.

    The name of a row is a label too: some objects are known no better.
    """
    return tuple("+".join(_labels(name, dict(hierarchy))) for name in classes)


def nodes_of(classes: tuple[str, ...], hierarchy: Hierarchy) -> dict[str, np.ndarray]:
    """Returns [c] bool for each row of a hierarchy, the classes in it; parents first.

    Rows of which no class has a part, or that are one of them by name, are left out.

    Raises:
        ValueError: if a class takes a part of a row and something beside it.
    """
    rows = dict(hierarchy)
    holds = [set(_labels(name, rows)) for name in classes]
    used, found = set().union(*holds), {}
    for name in _parents_first(rows):
        inner = set(_labels(name, rows)) & used
        inside = np.array([held <= inner for held in holds])
        cut = [
            one
            for one, held in zip(classes, holds, strict=True)
            if held & inner and not held <= inner and not inner <= held
        ]
        if cut:
            raise InputError(
                f"Class {cut[0]!r} takes a part of {name} and something beside it, so "
                f"{name} has no probability. Join classes within it, or all of it, or "
                "leave it out of config.hierarchy."
            )
        if inside.any() and name not in classes:
            found[name] = inside
    return found


def levels_of(
    classes: tuple[str, ...], nodes: Mapping[str, np.ndarray]
) -> list[dict[str, np.ndarray]]:
    """Returns levels, the coarsest first; in each, every class is in one entry.

    The last is the classes alone. What has nothing above it stands for itself in all. A
    level that parts the classes as the next one does is left out.

    Args:
        nodes: as nodes_of gives them.
    """
    alone = dict(zip(classes, np.eye(len(classes), dtype=bool), strict=True))
    paths = [
        [*(name for name, inside in nodes.items() if inside[c]), one]
        for c, one in enumerate(classes)
    ]
    known = alone | dict(nodes)
    levels = [
        {
            path[min(depth, len(path) - 1)]: known[path[min(depth, len(path) - 1)]]
            for path in paths
        }
        for depth in range(max(map(len, paths)))
    ]
    parts = [{tuple(inside) for inside in level.values()} for level in levels]
    return [
        level
        for level, part, below in zip(levels, parts, [*parts[1:], ()], strict=True)
        if part != below
    ]


def node_probabilities(
    probability: np.ndarray, entries: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Returns [o n] float64, the probability of each of n entries of a level.

    Args:
        probability: [o c] of the classes.
        entries: [c] bool each, as nodes_of or a level has them.
    """
    inside = np.array([*entries.values()], np.float64).reshape(-1, probability.shape[1])
    return np.float64(probability) @ inside.T


def index_within(label: np.ndarray, level: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns for class indices the index of the level's entry that holds each."""
    return np.array([*level.values()]).argmax(axis=0)[label]


def node_of_labels(
    labels: np.ndarray, level: Iterable[str], hierarchy: Hierarchy
) -> np.ndarray:
    """Returns the index of the level's name in which all of each label lies, else -1.

    SNIbc lies in SN, SN in no part of it; SN, where nothing below it is told apart from
    the rest, in SN alone.

    Args:
        labels: [o] of the survey, names of rows, or such joined by +.
        level: names of classes and rows, as levels_of gives them.
    """
    rows = dict(hierarchy)

    def lowest(name: str) -> set[str]:
        return {one for one in _labels(name, rows) if one not in rows}

    held = [lowest(name) for name in level]
    names, of_object = np.unique(labels, return_inverse=True)
    index = [
        next((n for n, inside in enumerate(held) if lowest(name) <= inside), -1)
        for name in names.tolist()
    ]
    return np.array(index, int)[of_object]


def merge_rare_classes(
    counts: Mapping[str, int], hierarchy: Hierarchy, fewest: int
) -> tuple[str, ...]:
    """Returns the classes, those with fewer than `fewest` objects joined: SNIbc+SNII.

    From below: the rare members of a row are joined, and if they are still too few, the
    smallest other member with them, whole. A row that is too small as a whole is rare
    in the row above. So a joined class is always members of one row, and ends up in
    the place of the first.

    Args:
        counts: training objects of each class.
        fewest: 0: none is rare.
    Raises:
        ValueError: if a class is too rare and nothing is above it, or one class stays.
    """
    classes = tuple(counts)
    unit = {name: (name,) for name in classes}  # the largest row so far around it
    group = dict(unit)

    def size(names: tuple[str, ...]) -> tuple[int, list[str]]:
        return sum(counts[name] for name in names), sorted(names)

    for inside in reversed(nodes_of(classes, hierarchy).values()):
        row = tuple(name for name, is_in in zip(classes, inside, strict=True) if is_in)
        joined = ()
        for one in sorted({unit[name] for name in row}, key=size):
            is_short = bool(joined) and size(joined)[0] < fewest
            if size(one)[0] < fewest or is_short:
                joined += one
        group |= dict.fromkeys(joined, tuple(sorted(joined, key=classes.index)))
        unit |= dict.fromkeys(row, row)
    pooled = tuple(dict.fromkeys(group[name] for name in classes))
    rare = [names for names in pooled if size(names)[0] < fewest]
    if rare or (fewest and len(pooled) < 2):
        found = ", ".join(f"{'+'.join(names)} {size(names)[0]}" for names in pooled)
        raise InputError(
            f"config.selection.min_class_size={fewest}, and training objects pooled as far as "
            f"config.hierarchy allows are {found}. Each of two classes or more needs "
            f"{fewest}. Ask for fewer, leave a class out, or give it a parent."
        )
    return tuple("+".join(names) for names in pooled)


def is_merged_from(pooled: tuple[str, ...], classes: tuple[str, ...]) -> bool:
    """Returns whether pool_rare could have made the former of the latter."""
    parts = [set(one.split("+")) for one in pooled]
    each = [set(one.split("+")) for one in classes]
    return set().union(*parts) == set().union(*each) and all(
        any(one <= part for part in parts) for one in each
    )


def _labels(joined: str, rows: dict) -> list[str]:
    """Returns "SN" and all that lies below it; of "A+B" that of both."""
    found = []
    for name in joined.split("+"):
        found.append(name)
        for member in rows.get(name, ()):
            found += _labels(member, rows)
    return found


def _parents_first(rows: dict) -> list[str]:
    above = {member: name for name, members in rows.items() for member in members}

    def depth(name: str) -> int:
        return 1 + depth(above[name]) if name in above else 0

    return sorted(rows, key=depth)
